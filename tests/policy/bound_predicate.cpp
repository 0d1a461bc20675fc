#include "policy/given.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace rowcast;
using namespace rowcast::tests;
using policy::bound_predicate;
using policy::truth;
using policy::type_family;

namespace {

const policy::table things{"public.things",
                           {{"id", "integer", type_family::integer},
                            {"name", "text", type_family::text},
                            {"total", "numeric(10,2)", type_family::numeric},
                            {"done", "boolean", type_family::boolean},
                            {"at", "timestamp with time zone", type_family::timestamptz},
                            {"weight", "real", type_family::real},
                            {"data", "jsonb", type_family::jsonb},
                            {"raw", "json", type_family::json},
                            {"tags", "integer[]", type_family::array, type_family::integer},
                            {"mood", "mood", type_family::enumeration, type_family::other, false, {"sad", "happy"}},
                            {"blind", "text", type_family::collated_text},
                            {"code", "text", type_family::text, type_family::other, true},
                            {"span", "interval", type_family::other}},
                           {"id"},
                           true};

bound_predicate bind(std::string_view json, std::string_view claims = "{}")
{
    const policy::identity who = user(claims);
    return bound_predicate::bind(rule_predicate(json), things, &who).value();
}

truth holds(std::string_view json, std::string_view candidate, std::string_view claims = "{}")
{
    return bind(json, claims).evaluate(row(candidate));
}

core::failure refusal(std::string_view json)
{
    const auto bound = bound_predicate::bind(filter(json), things, nullptr);
    REQUIRE_FALSE(bound.has_value());
    return bound.error();
}

} // namespace

TEST_CASE("three-valued logic has SQL's tables")
{
    using enum truth;
    CHECK((yes && unknown) == unknown);
    CHECK((no && unknown) == no);
    CHECK((yes || unknown) == yes);
    CHECK((no || unknown) == unknown);
    CHECK((!unknown) == unknown);
    CHECK((!yes) == no);
}

TEST_CASE("a comparison with null is unknown, and so is its opposite")
{
    for (const auto* test : {R"({"name": "a"})", R"({"name": {"neq": "a"}})", R"({"not": {"name": "a"}})",
                             R"({"name": {"in": ["a"]}})", R"({"name": {"nin": ["a"]}})", R"({"id": {"gt": 1}})"}) {
        CHECK(holds(test, R"({"id": null, "name": null})") == truth::unknown);
        CHECK(holds(test, "{}") == truth::unknown);
    }
}

TEST_CASE("a list with null never excludes, and an empty one never holds")
{
    CHECK(holds(R"({"id": {"in": [1, null]}})", R"({"id": 1})") == truth::yes);
    CHECK(holds(R"({"id": {"in": [1, null]}})", R"({"id": 2})") == truth::unknown);
    CHECK(holds(R"({"id": {"nin": [1, null]}})", R"({"id": 2})") == truth::unknown);
    CHECK(holds(R"({"id": {"nin": [1, null]}})", R"({"id": 1})") == truth::no);
    CHECK(holds(R"({"id": {"in": []}})", R"({"id": null})") == truth::no);
    CHECK(holds(R"({"id": {"nin": []}})", R"({"id": null})") == truth::yes);
    CHECK(holds(R"({"id": {"in": [null]}})", R"({"id": 1})") == truth::unknown);
}

TEST_CASE("IS has no third value")
{
    CHECK(holds(R"({"name": null})", R"({"name": null})") == truth::yes);
    CHECK(holds(R"({"name": {"is": "not null"}})", R"({"name": ""})") == truth::yes);
    CHECK(holds(R"({"data": {"is": null}})", R"({"data": {"null": null}})") == truth::no);
    CHECK(holds(R"({"done": {"is": true}})", R"({"done": null})") == truth::no);
    CHECK(holds(R"({"done": {"is": false}})", R"({"done": false})") == truth::yes);
    CHECK(holds(R"({"done": {"is": "unknown"}})", R"({"done": null})") == truth::yes);
    CHECK(holds(R"({"not": {"done": {"is": true}}})", R"({"done": null})") == truth::yes);
}

TEST_CASE("and, or and not combine")
{
    const auto* const test = R"({"or": [{"id": 1, "name": "a"}, {"not": {"total": {"lt": 10}}}]})";
    CHECK(holds(test, R"({"id": 1, "name": "a", "total": 1})") == truth::yes);
    CHECK(holds(test, R"({"id": 1, "name": "b", "total": 10.00})") == truth::yes);
    CHECK(holds(test, R"({"id": 1, "name": "b", "total": 9.99})") == truth::no);
    CHECK(holds(test, R"({"id": 1, "name": null, "total": 9.99})") == truth::unknown);
}

TEST_CASE("a claim stands for its value, a number or a text alike")
{
    const auto* const mine = R"({"id": "$claims.sub"})";
    CHECK(holds(mine, R"({"id": 42})", R"({"sub": "42"})") == truth::yes);
    CHECK(holds(mine, R"({"id": 42})", R"({"sub": 42})") == truth::yes);
    CHECK(holds(R"({"name": "$claims.a.b"})", R"({"name": "7"})", R"({"a": {"b": 7}})") == truth::yes);
    CHECK(holds(R"({"name": {"in": "$claims.names"}})", R"({"name": "b"})", R"({"names": ["a", "b"]})") == truth::yes);
    CHECK(holds(R"({"name": {"in": "$claims.names"}})", R"({"name": "b"})", R"({"names": "b"})") == truth::yes);
    CHECK(holds(R"({"name": "$claims.https://example.com/team"})", R"({"name": "x"})",
                R"({"https://example.com/team": "x"})") == truth::yes);
}

TEST_CASE("a claim that is missing, null, or no value of the column makes its condition unknown for every row")
{
    for (const auto* claims : {"{}", R"({"sub": null})", R"({"sub": "abc"})", R"({"sub": {}})", R"({"sub": ["42"]})",
                               R"({"sub": "42; drop"})"}) {
        for (const auto* test : {R"({"id": "$claims.sub"})", R"({"id": {"neq": "$claims.sub"}})",
                                 R"({"not": {"id": "$claims.sub"}})", R"({"id": {"gt": "$claims.sub"}})"}) {
            CHECK(holds(test, R"({"id": 42})", claims) == truth::unknown);
        }
    }
    CHECK(holds(R"({"id": {"nin": "$claims.ids"}})", R"({"id": 42})", R"({"ids": [1, "x"]})") == truth::unknown);
    CHECK(holds(R"({"id": {"in": "$claims.ids"}})", R"({"id": 1})", R"({"ids": [1, "x"]})") == truth::yes);
    CHECK(holds(R"({"id": {"in": "$claims.ids"}})", R"({"id": 1})", R"({"ids": []})") == truth::no);
}

TEST_CASE("what cannot be decided in memory is refused with the reason")
{
    CHECK(refusal(R"({"nmae": "x"})").code == core::error_code::unknown_column);
    CHECK(refusal(R"({"nmae": "x"})").message == "public.things has no captured column 'nmae'; did you mean 'name'?");
    CHECK(refusal(R"({"id": "abc"})").message == "column 'id': 'abc' is not an integer, as values of type integer are");
    CHECK(refusal(R"({"id": {"in": [1, 1.5]}})").code == core::error_code::bad_filter);
    CHECK(refusal(R"({"id": true})").code == core::error_code::bad_filter);
    CHECK(refusal(R"({"name": {"gt": "a"}})").message ==
          "column 'name': only PostgreSQL knows the order of its collation; give the column COLLATE \"C\" for 'gt'");
    CHECK(refusal(R"({"name": {"ilike": "a%"}})").message.find("upper and lower case") != std::string::npos);
    CHECK(refusal(R"({"name": {"like": "a\\"}})").message.find("escape") != std::string::npos);
    CHECK(refusal(R"({"name": {"contains": "a"}})").message.find("{like: %part%}") != std::string::npos);
    CHECK(refusal(R"({"id": {"like": "1%"}})").message.find("'like' is for texts") != std::string::npos);
    CHECK(refusal(R"({"data": "x"})").message.find("is not JSON") != std::string::npos);
    CHECK(refusal(R"({"data": {"gt": "1"}})").message.find("not available for jsonb") != std::string::npos);
    CHECK(refusal(R"({"raw": "{}"})").message.find("make the column jsonb") != std::string::npos);
    CHECK(refusal(R"({"tags": "{a}"})").message.find("{contains: [...]}") != std::string::npos);
    CHECK(refusal(R"({"tags": {"contains": "a"}})").message.find("is not a list") != std::string::npos);
    CHECK(refusal(R"({"tags": {"contains": [1, "x"]}})").message.find("'x' is not an integer") != std::string::npos);
    CHECK(refusal(R"({"mood": "angry"})").message.find("is not a label") != std::string::npos);
    CHECK(refusal(R"({"blind": "x"})").message.find("nondeterministic") != std::string::npos);
    CHECK(refusal(R"({"span": "1 day"})").message.find("interval cannot be compared") != std::string::npos);
    CHECK(refusal(R"({"name": {"is": true}})").message.find("for booleans") != std::string::npos);

    const auto set = bound_predicate::bind(rule_predicate(R"({"id": "$sets.mine"})"), things, nullptr);
    REQUIRE_FALSE(set.has_value());
    CHECK(set.error().message.find("write {in: $sets.mine}") != std::string::npos);
}

TEST_CASE("LIKE takes its pattern as PostgreSQL does")
{
    const auto like = [](std::string_view text, std::string_view pattern) {
        return holds("{\"name\": {\"like\": \"" + std::string(pattern) + "\"}}", "{\"name\": \"" + std::string(text) + "\"}") == truth::yes;
    };
    CHECK(like("", ""));
    CHECK(like("", "%"));
    CHECK_FALSE(like("", "_"));
    CHECK(like("abc", "a%"));
    CHECK(like("abc", "%c"));
    CHECK(like("abc", "a_c"));
    CHECK_FALSE(like("Abc", "a%"));
    CHECK(like("a\u00e9c", "a_c"));
    CHECK(like("aXbXc", "a%X%c"));
    CHECK_FALSE(like("aXbXcd", "a%X%c"));
    CHECK(like("100%", R"(100\\%)"));
    CHECK_FALSE(like("1000", R"(100\\%)"));
    CHECK(like(R"(a\\b)", R"(a\\\\b)"));
    CHECK(holds(R"({"code": {"ilike": "%ANN%"}})", R"({"code": "Joanne"})") == truth::yes);
    CHECK(holds(R"({"code": {"ilike": "\u00c9%"}})", R"({"code": "\u00e9t"})") == truth::no);
    CHECK(holds(R"({"name": {"like": "%"}})", R"({"name": null})") == truth::unknown);
    CHECK(holds(R"({"name": {"like": "$claims.x"}})", R"({"name": "a"})", R"({"x": "a\\"})") == truth::unknown);
}

TEST_CASE("a label that came after the catalog was read has an unknown place")
{
    CHECK(holds(R"({"mood": {"gt": "sad"}})", R"({"mood": "happy"})") == truth::yes);
    CHECK(holds(R"({"not": {"mood": {"gt": "sad"}}})", R"({"mood": "elated"})") == truth::unknown);
}

TEST_CASE("an array contains what all of its dimensions hold, and never null")
{
    const auto* const test = R"({"tags": {"contains": [1, 2]}})";
    CHECK(holds(test, R"({"tags": [2,3,1]})") == truth::yes);
    CHECK(holds(test, R"({"tags": [[2,3],[null,1]]})") == truth::yes);
    CHECK(holds(test, R"({"tags": [2,null]})") == truth::no);
    CHECK(holds(test, R"({"tags": null})") == truth::unknown);
    CHECK(holds(R"({"tags": {"contains": "{}"}})", R"({"tags": []})") == truth::yes);
    CHECK(holds(R"({"tags": {"contains": "{1,NULL}"}})", R"({"tags": [1,null]})") == truth::no);
}

TEST_CASE("a claim within contains is itself, and never a list in disguise")
{
    const auto* const mine = R"({"tags": {"contains": "$claims.sub"}})";
    CHECK(holds(mine, R"({"tags": [7]})", R"({"sub": "7"})") == truth::yes);
    CHECK(holds(mine, R"({"tags": [7]})", R"({"sub": [7]})") == truth::yes);
    for (const auto* claims : {R"({"sub": "{}"})", R"({"sub": "x"})", R"({"sub": [7, "x"]})", R"({"sub": null})", "{}"}) {
        CHECK(holds(mine, R"({"tags": [7]})", claims) == truth::unknown);
        CHECK(holds(R"({"not": {"tags": {"contains": "$claims.sub"}}})", R"({"tags": [7]})", claims) == truth::unknown);
    }
    const auto* const json = R"({"data": {"contains": "$claims.sub"}})";
    CHECK(holds(json, R"({"data": ["{}"]})", R"({"sub": "{}"})") == truth::yes);
    CHECK(holds(json, R"({"data": {}})", R"({"sub": "{}"})") == truth::no);
    CHECK(holds(json, R"({"data": {"a": {"b": 1}}})", R"({"sub": {"a": {}}})") == truth::yes);
}

TEST_CASE("jsonb is compared by value, and contains as PostgreSQL says")
{
    const auto is = [](std::string_view left, std::string_view op, std::string_view right) {
        std::string text;
        core::append_quoted(text, right);
        return holds("{\"data\": {\"" + std::string(op) + "\": " + text + "}}", "{\"data\": " + std::string(left) + "}") == truth::yes;
    };
    CHECK(is(R"({"b": 1.50, "a": [null, "\u00e9"]})", "eq", R"({"a":[null,"é"],"b":15e-1})"));
    CHECK(is("1e2", "eq", "100.0"));
    CHECK_FALSE(is("1", "eq", "[1]"));
    CHECK_FALSE(is("[1,2]", "eq", "[2,1]"));
    CHECK(is("[1,2,3]", "contains", "[3,1,1]"));
    CHECK(is("[1,2]", "contains", "2"));
    CHECK_FALSE(is("2", "contains", "[2]"));
    CHECK_FALSE(is("2", "contains", "[]"));
    CHECK(is("2", "contains", "2.0"));
    CHECK(is(R"([{"a": 1, "b": 2}, [1]])", "contains", R"([{"a": 1}, []])"));
    CHECK_FALSE(is(R"([[1]])", "contains", "[1]"));
    CHECK(is(R"({"a": {"b": [1, 2]}})", "contains", R"({"a": {"b": [2]}})"));
    CHECK_FALSE(is(R"({"a": [2]})", "contains", R"({"a": 2})"));
    CHECK_FALSE(is("{}", "contains", "[]"));
    CHECK(holds(R"({"data": {"contains": {"a": 1}}})", R"({"data": {"a": 1, "b": 2}})") == truth::yes);
    CHECK(holds(R"({"data": {"contains": {}}})", R"({"data": null})") == truth::unknown);
}

TEST_CASE("the same predicate has one text, whatever its spelling")
{
    const auto same = [](std::string_view left, std::string_view right) {
        return bind(left).text() == bind(right).text();
    };
    CHECK(same(R"({"id": 1, "name": "a"})", R"({"name": "a", "id": "01"})"));
    CHECK(same(R"({"id": {"in": [2, 1, 2]}})", R"({"id": {"in": [1, 2]}})"));
    CHECK(same(R"({"total": 1.50})", R"({"total": {"in": ["1.5"]}})"));
    CHECK(same(R"({"or": [{"id": 1}, {"id": 1}]})", R"({"or": [{"id": 1}, {"id": 1}, {"id": 1}]})"));
}

TEST_CASE("different predicates never share a text")
{
    const std::vector<const char*> all = {R"({})",
                                          R"({"id": 1})",
                                          R"({"id": {"neq": 1}})",
                                          R"({"id": {"gt": 1}})",
                                          R"({"id": {"gte": 1}})",
                                          R"({"id": {"in": [1, null]}})",
                                          R"({"id": {"in": [1, 2]}})",
                                          R"({"id": {"in": [12]}})",
                                          R"({"name": "1"})",
                                          R"({"name": {"in": ["1,2"]}})",
                                          R"({"name": {"in": ["1", "2"]}})",
                                          R"({"name": {"in": ["1:'2", "3"]}})",
                                          R"({"name": {"in": ["1", "2:'3"]}})",
                                          R"({"name": null})",
                                          R"({"name": {"is": "not null"}})",
                                          R"({"name": "null"})",
                                          R"({"name": ""})",
                                          R"({"name": "no"})",
                                          R"({"id": {"in": []}})",
                                          R"({"id": {"in": [null]}})",
                                          R"({"id": {"nin": []}})",
                                          R"({"not": {"id": 1}})",
                                          R"({"id": 1, "name": "1"})",
                                          R"({"or": [{"id": 1}, {"name": "1"}]})",
                                          R"({"not": {"id": 1, "name": "1"}})",
                                          R"({"or": [{"id": 1}, {"name": "1", "done": true}]})",
                                          R"({"done": true, "or": [{"id": 1}, {"name": "1"}]})",
                                          R"({"done": {"is": true}})",
                                          R"({"done": true})",
                                          R"({"weight": 1})",
                                          R"({"total": 1})"};
    std::set<std::string> texts;
    for (const auto* each : all) {
        CAPTURE(each);
        CHECK(texts.insert(bind(each).text()).second);
    }
}

TEST_CASE("the equality condition with the fewest values finds the view")
{
    const auto index = [](std::string_view json, std::string_view claims = "{}") {
        const bound_predicate bound = bind(json, claims);
        return bound.indexable();
    };
    CHECK_FALSE(index("{}"));
    CHECK_FALSE(index(R"({"id": {"neq": 1}})"));
    CHECK_FALSE(index(R"({"not": {"id": 1}})"));
    CHECK_FALSE(index(R"({"name": null})"));
    CHECK_FALSE(index(R"({"or": [{"id": 1}, {"name": "a"}]})"));
    CHECK_FALSE(index(R"({"or": [{"id": 1}, {"name": {"neq": "a"}}]})"));

    const auto least = index(R"({"id": {"in": [1, 2, 3]}, "name": {"in": ["a", "b"]}, "total": {"gt": 5}})");
    REQUIRE(least);
    CHECK(least->over->name == "name");
    CHECK(least->values ==
          std::vector<std::string>{index_key(type_family::text, R"("a")"), index_key(type_family::text, R"("b")")});

    const auto any = index(R"({"or": [{"id": 1, "done": true}, {"id": {"in": [2, 1]}}]})");
    REQUIRE(any);
    CHECK(any->over->name == "id");
    CHECK(any->values.size() == 2);
}

TEST_CASE("a condition with more values than wanted is none, and another one finds the view, where there is one")
{
    const auto with_at_most = [](std::size_t most, std::string_view json) {
        const auto found = bind(json).indexable(most);
        return found ? found->over->name + std::to_string(found->values.size()) : "";
    };
    const auto two = R"({"id": {"in": [1, 2]}})";
    CHECK(with_at_most(2, two) == "id2");
    CHECK(with_at_most(1, two) == "");
    const auto either = R"({"or": [{"id": 1}, {"id": {"in": [3, 2]}}]})";
    CHECK(with_at_most(3, either) == "id3");
    CHECK(with_at_most(2, either) == "");
    const auto both = R"({"id": {"in": [1, 2, 3]}, "name": {"in": ["a", "b"]}})";
    CHECK(with_at_most(2, both) == "name2");
    CHECK(with_at_most(1, both) == "");
}

TEST_CASE("a predicate that holds for no row is found under no value")
{
    const policy::identity nobody = user("{}");
    const auto mine = bound_predicate::bind(rule_predicate(R"({"id": "$claims.sub"})"), things, &nobody).value();
    REQUIRE(mine.indexable());
    CHECK(mine.indexable()->values.empty());
}

TEST_CASE("index keys are those of the conditions' values")
{
    const auto key = [](std::string_view json) { return bind(json).indexable()->values.front(); };
    CHECK(key(R"({"total": "1.50"})") == policy::index_key(type_family::numeric, "1.5"));
    CHECK(key(R"({"at": "2026-11-21T12:00+02:00"})") ==
          policy::index_key(type_family::timestamptz, R"("2026-11-21T10:00:00+00:00")"));
    CHECK(key(R"({"done": "yes"})") == policy::index_key(type_family::boolean, "true"));
}

TEST_CASE("of a row known in part, a predicate is decided where the rest cannot change it")
{
    using certainty = bound_predicate::certainty;
    const core::row key = row(R"({"id": 7})");
    const auto part = [&](std::string_view json) { return bind(json).evaluate_part(key); };
    CHECK(part("{}") == certainty::yes);
    CHECK(part(R"({"id": 7})") == certainty::yes);
    CHECK(part(R"({"id": 8})") == certainty::no);
    CHECK(part(R"({"name": "a"})") == certainty::maybe);
    CHECK(part(R"({"id": 8, "name": "a"})") == certainty::no);
    CHECK(part(R"({"id": 7, "name": "a"})") == certainty::maybe);
    CHECK(part(R"({"or": [{"id": 7}, {"name": "a"}]})") == certainty::yes);
    CHECK(part(R"({"not": {"id": 8, "name": "a"}})") == certainty::yes);
    CHECK(part(R"({"name": null})") == certainty::maybe);
    CHECK(part(R"({"not": {"name": null}})") == certainty::maybe);
    CHECK(part(R"({"name": {"nin": []}})") == certainty::yes);
}
