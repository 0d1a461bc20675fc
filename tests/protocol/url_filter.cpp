#include "protocol/url_filter.hpp"

#include <catch2/catch.hpp>

#include "support/result.hpp"

#include "protocol/json.hpp"

using namespace rowcast;

namespace {

std::string tree(std::string_view name, std::string_view text)
{
    auto read = protocol::parse_url_filter(name, text);
    return read ? protocol::to_json(*read) : "refused: " + read.error().message;
}

} // namespace

TEST_CASE("PostgREST's notation becomes a predicate's tree", "[protocol]")
{
    CHECK(tree("status", "eq.open") == R"({"status":{"eq":"open"}})");
    CHECK(tree("status", "eq.a.b,(c)\"") == R"({"status":{"eq":"a.b,(c)\""}})");
    CHECK(tree("total", "not.gte.100") == R"({"not":{"total":{"gte":"100"}}})");
    CHECK(tree("id", "in.(1,2)") == R"({"id":{"in":["1","2"]}})");
    CHECK(tree("id", R"(nin.("a,b",c,"d\"\\e",""))") == R"({"id":{"nin":["a,b","c","d\"\\e",""]}})");
    CHECK(tree("name", "ilike.*ann*") == R"({"name":{"ilike":"%ann%"}})");
    CHECK(tree("tags", "cs.{a,b}") == R"({"tags":{"contains":"{a,b}"}})");
    CHECK(tree("data", R"(not.cs.{"a":[1,2]})") == R"({"not":{"data":{"contains":"{\"a\":[1,2]}"}}})");
    CHECK(tree("or", R"((tags.cs."{a,b}",tags.contains.{c}))") == R"({"or":[{"tags":{"contains":"{a,b}"}},{"tags":{"contains":"{c}"}}]})");
    CHECK(tree("deleted_at", "is.null") == R"({"deleted_at":{"is":null}})");
    CHECK(tree("done", "not.is.true") == R"({"not":{"done":{"is":true}}})");
    CHECK(tree("or", "(a.eq.1,and(b.eq.2,c.is.null))") ==
          R"({"or":[{"a":{"eq":"1"}},{"and":[{"b":{"eq":"2"}},{"c":{"is":null}}]}]})");
    CHECK(tree("not.and", R"((a.not.in.(1,2),not.or("odd.name".eq."x,y",b.neq.3)))") ==
          R"({"not":{"and":[{"not":{"a":{"in":["1","2"]}}},{"not":{"or":[{"odd.name":{"eq":"x,y"}},{"b":{"neq":"3"}}]}}]}})");
}

TEST_CASE("a bad filter says which one it is and what was meant", "[protocol]")
{
    CHECK(tree("status", "open") == "refused: 'status': 'open' does not begin with an operator and a dot, like eq.open");
    CHECK(tree("total", "gtee.1") ==
          "refused: 'total': 'gtee.1' does not begin with an operator and a dot, like eq.open; did you mean 'gte'?");
    CHECK(tree("a", "is.nul") == "refused: 'a': 'is' takes null, true or false, not 'nul'");
    CHECK(tree("a", "eq.") == "refused: 'a': the value after 'eq.' is empty");
}

TEST_CASE("malformed filters are refused", "[protocol]")
{
    const std::string text = GENERATE(as<std::string>(), "", "eq", ".", "not.", "in.1", "in.(1", "in.()", "in.(1,)", "in.(\"a)", "in.(1)x",
                                      "not.not.eq.1");
    INFO(text);
    CHECK(protocol::parse_url_filter("a", text).error().code == core::error_code::bad_filter);
    const std::string group = GENERATE(as<std::string>(), "", "a.eq.1", "(a.eq.1", "()", "(a.eq.1,)", "(a)", "(.eq.1)", "(a.eq.1)x",
                                       "(and(a.eq.1)", "(a.eq.)");
    INFO(group);
    CHECK(protocol::parse_url_filter("or", group).error().code == core::error_code::bad_filter);
}

TEST_CASE("groups cannot be nested without end", "[protocol]")
{
    std::string text = "(a.eq.1)";
    for (int i = 0; i < 2'000; ++i) {
        text = "(or" + text + ")";
    }
    CHECK(protocol::parse_url_filter("or", text).error().message.find("nested deeper") != std::string::npos);
}
