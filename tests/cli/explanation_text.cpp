#include "cli/explanation_text.hpp"
#include "policy/given.hpp"

#include <catch2/catch.hpp>

using namespace rowcast;
using namespace rowcast::tests;
using policy::type_family;

namespace {

const auto orders = std::make_shared<const policy::table>(policy::table{"public.orders",
                                                                        {{"id", "integer", type_family::integer},
                                                                         {"owner", "integer", type_family::integer},
                                                                         {"status", "text", type_family::text}},
                                                                        {"id"},
                                                                        true});

std::string told(std::vector<policy::rule> rules, core::change change, const policy::table_request& wanted = {})
{
    policy::rules all;
    all.tables["public.orders"] = std::move(rules);
    return cli::explanation_text(policy::explain(all, orders, user(R"({"sub": "7"})"),
                                                 std::make_shared<const core::change>(std::move(change)), wanted),
                                 cli::painter(false));
}

} // namespace

TEST_CASE("an explanation says of each rule what held, with the values, and the verdict last")
{
    const policy::rule mine{{"customer"},
                            rule_predicate(R"({"owner": "$claims.sub", "or": [{"status": "open"}, {"status": null}]})"),
                            std::vector<std::string>{"id", "status"},
                            {12, 7}};
    const policy::rule all{{"admin", "root"}, {}, {}, {14, 7}};
    CHECK(told({mine, all}, inserted(R"({"id":1,"owner":8,"status":"open"})")) == R"(row {"id":1,"owner":8,"status":"open"}
✗ rule 1, line 12, for customer
    ✗ owner eq $claims.sub  (the row has 8, $claims.sub is "7")
    ✓ one of:
        ✓ status eq "open"  (the row has "open")
        ✗ status is null  (the row has "open")
– rule 2, line 14, for admin, root: this user has none of these roles

Not sent: no rule for this user holds.
)");
    const std::string seen = told({mine, all}, inserted(R"({"id":1,"owner":7,"status":"open"})"));
    CHECK(seen.find("✓ rule 1, line 12, for customer; gives id, status\n") != std::string::npos);
    CHECK(seen.find("\nSent as INSERT: the user may see the row.\n") != std::string::npos);
    CHECK(seen.find(R"("row":{"id":1,"status":"open"})") != std::string::npos);
}

TEST_CASE("an explanation is safe for a terminal, and keeps long values short")
{
    const std::string text = told({{{}, rule_predicate(R"({"status": "a"})"), {}, {}}},
                                  inserted(R"({"id":1,"owner":7,"status":")" + std::string("\u202e") + std::string(5'000, 'x') + "\"}"));
    CHECK(text.find("\u202e") == std::string::npos);
    CHECK(text.size() < 1'000);
}
