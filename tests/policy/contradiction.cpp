#include "policy/contradiction.hpp"
#include "policy/given.hpp"

#include <catch2/catch.hpp>

using namespace rowcast;
using namespace rowcast::tests;
using policy::type_family;

namespace {

const policy::table things{"public.things",
                           {{"id", "integer", type_family::integer},
                            {"price", "numeric", type_family::numeric},
                            {"name", "text", type_family::text},
                            {"open", "boolean", type_family::boolean}},
                           {"id"},
                           true};

std::string contradiction(std::string_view where)
{
    const auto found = policy::find_contradiction(rule_predicate(where), things);
    return found ? found->why : "";
}

} // namespace

TEST_CASE("a predicate that no row can satisfy is found out")
{
    CHECK(contradiction(R"({"name": "a", "and": [{"name": "b"}]})") == R"('name eq "a"' and 'name eq "b"' cannot both hold)");
    CHECK(contradiction(R"({"name": {"in": []}})") == "'name in []' names no value");
    CHECK(contradiction(R"({"name": {"in": [null]}})") == "'name in [null]' names no value");
    CHECK(contradiction(R"({"id": {"gt": 5, "lt": 5}})") == "'id gt 5' and 'id lt 5' cannot both hold");
    CHECK(contradiction(R"({"id": {"gte": 5, "lt": 5}})") != "");
    CHECK(contradiction(R"({"price": {"in": [1, 2], "gt": 10}})") == "'price in [1,2]' and 'price gt 10' cannot both hold");
    CHECK(contradiction(R"({"price": {"in": [11, 12], "lte": 10}})") == "'price in [11,12]' and 'price lte 10' cannot both hold");
    CHECK(contradiction(R"({"name": {"is": null, "eq": "a"}})") == R"('name is null' and 'name eq "a"' cannot both hold)");
    CHECK(contradiction(R"({"name": {"eq": "$claims.a", "is": null}})") != "");
    CHECK(contradiction(R"({"name": {"is": "not null"}, "and": [{"name": null}]})") != "");
    CHECK(contradiction(R"({"open": {"is": true}, "and": [{"open": {"is": "unknown"}}]})") != "");
    CHECK(contradiction(R"({"not": {}})") == "'not: {}' holds for no row");
    CHECK(contradiction(R"({"or": [{"name": {"in": []}}, {"id": {"gt": 5, "lt": 5}}]})") != "");
}

TEST_CASE("a predicate that some row may satisfy is not called a contradiction")
{
    for (const char* where : {
             "{}",
             R"({"name": "a", "id": 1})",
             R"({"price": {"eq": 1.5}, "and": [{"price": "1.50"}]})",
             R"({"id": {"gte": 5, "lte": 5}})",
             R"({"id": {"gt": 5, "lt": 7, "in": [5, 6]}})",
             R"({"name": {"eq": "$claims.a"}, "and": [{"name": "$claims.b"}]})",
             R"({"or": [{"name": {"in": []}}, {"id": 1}]})",
             R"({"name": {"neq": "a", "eq": "a"}})",
             R"({"not": {"name": {"in": []}}})",
             R"({"name": {"in": ["a", null]}})",
             R"({"open": {"is": "unknown"}})",
         }) {
        CAPTURE(where);
        CHECK(contradiction(where) == "");
    }
}

TEST_CASE("a predicate is within one that has fewer of its conditions")
{
    const auto within = [](std::string_view narrow, std::string_view wide) {
        return policy::is_within(rule_predicate(narrow), rule_predicate(wide));
    };
    CHECK(within(R"({"a": 1})", "{}"));
    CHECK(within(R"({"a": 1, "b": "$claims.x"})", R"({"and": [{"b": "$claims.x"}]})"));
    CHECK(within(R"({"or": [{"a": 1}, {"b": 2}], "c": 3})", R"({"or": [{"a": 1}, {"b": 2}]})"));
    CHECK_FALSE(within("{}", R"({"a": 1})"));
    CHECK_FALSE(within(R"({"a": 1})", R"({"a": "1"})"));
    CHECK_FALSE(within(R"({"or": [{"a": 1}, {"b": 2}]})", R"({"a": 1})"));
    CHECK_FALSE(within(R"({"not": {"a": 1}})", R"({"a": 1})"));
}
