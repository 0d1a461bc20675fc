#include "config/given.hpp"

#include <catch2/catch.hpp>

using namespace rowcast;
using namespace rowcast::tests;
using policy::type_family;

namespace {

const policy::catalog watched = [] {
    policy::catalog made;
    made.tables["public.orders"] =
        std::make_shared<const policy::table>(policy::table{"public.orders",
                                                            {{"id", "integer", type_family::integer},
                                                             {"status", "text", type_family::text},
                                                             {"data", "jsonb", type_family::other}},
                                                            {"id"},
                                                            true});
    return made;
}();

std::string told(const std::string& text)
{
    std::string all;
    for (const config::problem& each : config::check(valid(text).rules, watched)) {
        all += (all.empty() ? "" : "\n") + to_string(each, "f");
    }
    return all;
}

} // namespace

TEST_CASE("rules that fit their tables are accepted")
{
    CHECK(told("tables: {public.orders: [{where: {id: $claims.sub, data: null}, columns: [id, status]}, {columns: [id]}]}") == "");
}

TEST_CASE("columns that a table does not have are told with their place and the nearest one")
{
    CHECK(told("tables:\n  public.orders:\n    - where: {statsu: open}") ==
          "f:3:23: error: public.orders has no captured column 'statsu'; did you mean 'status'?");
    CHECK(contains(told("tables:\n  public.orders:\n    - columns: [id, statsu]"),
                   "f:3:7: error: public.orders has no captured column 'statsu'; did you mean 'status'?"));
}

TEST_CASE("predicates that a type cannot take are told")
{
    CHECK(contains(told("tables: {public.orders: [{where: {id: abc}}]}"), "'abc' is not an integer"));
    CHECK(contains(told("tables: {public.orders: [{where: {data: abc}}]}"), "jsonb cannot be compared"));
    CHECK(contains(told("tables: {public.orders: [{where: {id: $sets.mine}}]}\n"
                        "sets: {mine: {query: select 1, watch: [public.orders]}}"),
                   "write {in: $sets.mine}"));
    CHECK(contains(told("tables: {public.orders: [{}]}\nchannels: {a: [{where: {chanel: b}}]}"),
                   "did you mean 'channel'"));
}

TEST_CASE("a rule without the key is told")
{
    CHECK(contains(told("tables: {public.orders: [{columns: [status]}]}"), "does not give the key column 'id'"));
}

TEST_CASE("a set is watched through tables that are watched")
{
    CHECK(told("sets: {mine: {query: select 1, watch: [public.orders]}}") == "");
    CHECK(contains(told("sets: {mine: {query: select 1, watch: [public.order]}}"),
                   "f:1:14: error: sets.mine watches public.order, which rowcast does not; did you mean 'public.orders'?"));
}

TEST_CASE("tables without rules and rules without tables are warnings")
{
    CHECK(contains(told(""), "f: warning: public.orders is watched, and no rule gives it to anybody"));
    CHECK(contains(told("tables: {public.order: [{}]}"),
                   "error: public.order is not watched; did you mean 'public.orders'?"));
    CHECK_FALSE(config::has_errors(config::check(valid("").rules, watched)));
    CHECK(config::has_errors(config::check(valid("tables: {public.orders: [{columns: [status]}]}").rules, watched)));
}

TEST_CASE("a rule that can never hold is told")
{
    CHECK(contains(told("tables:\n  public.orders:\n    - where: {status: open, and: [{status: paid}]}"),
                   "f:3:44: error: this rule can never hold: 'status eq \"open\"' and 'status eq \"paid\"' cannot both hold"));
    CHECK(told("tables: {public.orders: [{where: {status: $claims.a, and: [{status: $claims.b}]}}]}") == "");
}

TEST_CASE("a rule that another one makes useless is told")
{
    const auto warning = [](const std::string& rules) { return told("tables:\n  public.orders:\n" + rules); };
    CHECK(warning("    - {roles: [a, b]}\n    - {roles: [a], where: {id: 1}, columns: [id]}") ==
          "f:4:7: warning: this rule adds nothing: the one in line 3 gives the same users all of it");
    CHECK(warning("    - {roles: [a], where: {id: 1}}\n    - {where: {id: 1}}") ==
          "f:3:7: warning: this rule adds nothing: the one in line 4 gives the same users all of it");
    CHECK(warning("    - {roles: [a], where: {id: 1}}\n    - {roles: [a], where: {id: 1}}") ==
          "f:4:7: warning: this rule adds nothing: the one in line 3 gives the same users all of it");
    CHECK(warning("    - {roles: [a], columns: [id]}\n    - {roles: [b], columns: [id]}\n    - {roles: [a], where: {id: 1}}") == "");
    CHECK(warning("    - {columns: [id]}\n    - {where: {id: 1}}") == "");
}

TEST_CASE("problems of the rules come in the order of the file")
{
    const std::string all = told("tables:\n  public.orders:\n    - {where: {statsu: 1}}\n  public.order:\n    - {}");
    CHECK(all.find("f:3:") < all.find("f:5:"));
}
