#include "policy/fingerprint.hpp"
#include "policy/given.hpp"

#include <catch2/catch.hpp>

using namespace rowcast;
using namespace rowcast::tests;

TEST_CASE("a user's fingerprint changes with what the rules say to them, and with nothing else")
{
    const auto with = [](std::string_view where, std::vector<std::string> roles = {"member"}) {
        policy::rules all;
        auto definition = std::make_shared<policy::set_definition>();
        definition->name = "mine";
        definition->parameters.emplace_back(policy::predicate::reference{policy::predicate::reference::kind::claims, {"team"}});
        all.sets.emplace("mine", definition);
        all.tables["public.t"] = {{std::move(roles), rule_predicate(where), {}, {}}, {{"admin"}, {}, {}, {}}};
        return all;
    };
    const auto of = [](const policy::rules& all, std::string_view claims, std::vector<std::string> roles = {"member"}) {
        return policy::fingerprint(all, user(claims, std::move(roles)));
    };
    const policy::rules own = with(R"({"owner": "$claims.sub"})");
    const std::string ann = of(own, R"({"sub": "ann", "iat": 1, "exp": 2, "jti": "a"})");
    CHECK(ann.size() == 8);
    CHECK(of(own, R"({"sub": "ann", "iat": 8, "exp": 9, "jti": "b", "name": "Ann"})") == ann);
    CHECK(of(own, R"({"sub": "ann"})", {"member", "guest"}) == ann);
    CHECK(of(own, R"({"sub": "bob"})") != ann);
    CHECK(of(own, "{}") != ann);
    CHECK(of(own, R"({"sub": "ann"})", {"member", "admin"}) != ann);
    CHECK(of(own, R"({"sub": "ann"})", {}) != ann);
    CHECK(of(with(R"({"owner": {"neq": "$claims.sub"}})"), R"({"sub": "ann"})") != ann);
    CHECK(of(with(R"({"owner": {"in": "$sets.mine"}})"), R"({"team": 1})") != of(with(R"({"owner": {"in": "$sets.mine"}})"), R"({"team": 2})"));

    policy::rules others = own;
    others.tables["public.t"].push_back({{"clerk"}, {}, {}, {}});
    CHECK(of(others, R"({"sub": "ann"})") == ann);
    others.tables["public.t"][0].columns = {"id"};
    CHECK(of(others, R"({"sub": "ann"})") != ann);
}
