#include "protocol/explanation_json.hpp"
#include "policy/given.hpp"
#include "protocol/json.hpp"

#include <catch2/catch.hpp>

using namespace rowcast;
using namespace rowcast::tests;
using policy::type_family;

TEST_CASE("an explanation for machines has every rule, condition and value")
{
    const auto orders = std::make_shared<const policy::table>(
        policy::table{"public.orders",
                      {{"id", "integer", type_family::integer}, {"owner", "integer", type_family::integer}},
                      {"id"},
                      true});
    policy::rules all;
    all.tables["public.orders"] = {{{"customer"}, rule_predicate(R"({"owner": "$claims.sub"})"), {}, {3, 7}},
                                   {{"admin"}, {}, {}, {4, 7}}};
    const auto change = std::make_shared<const core::change>(inserted(R"({"id":1,"owner":8})"));
    const std::string json = protocol::to_json(policy::explain(all, orders, user(R"({"sub": "7"})"), change));
    CHECK(json == R"({"table":"public.orders","verdict":"nothing","reason":"no rule for this user holds","after":{)"
                  R"("rules":[{"rule":1,"line":3,"roles":["customer"],"for_user":true,"holds":"no","where":{"holds":"no",)"
                  R"("condition":"owner eq $claims.sub","value":8,"compared":"7"}},{"rule":2,"line":4,"roles":["admin"],)"
                  R"("for_user":false}],"columns":[],"filter":{"holds":"yes","and":[]}}})");
    CHECK(protocol::parse_json(json).has_value());

    const auto seen = policy::explain(all, orders, user("{}", {"admin"}), change);
    CHECK(protocol::to_json(seen).find(R"("verdict":"sent","reason":"the user may see the row","event":{"id":"0",)") !=
          std::string::npos);
}
