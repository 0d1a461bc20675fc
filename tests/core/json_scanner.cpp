#include "core/json_scanner.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using rowcast::core::json_scanner;

namespace {

/// Whether the text is one JSON value and nothing else.
bool is_json(std::string_view text)
{
    json_scanner scan(text);
    std::string_view whole;
    return scan.value(whole) && scan.at_end();
}

} // namespace

TEST_CASE("every kind of JSON value is found whole")
{
    for (const auto* text : {"null", "true", "false", "0", "-0", "12", "-1.5", "1e5", "1E+5", "1.5e-10", "\"\"",
                             R"("a\"b\\c\u00e9")", "[]", "{}", "[1,[2,[]],{}]", R"({"a":{"b":[1,{"c":null}]},"d":[]})",
                             " [ 1 , 2 ] ", "{ \"a\" : 1 , \"b\" : { } }"}) {
        CAPTURE(text);
        CHECK(is_json(text));
    }
}

TEST_CASE("a value is cut without the blanks around it")
{
    json_scanner scan(" \n {\"a\": 1} \t");
    std::string_view value;
    REQUIRE(scan.value(value));
    CHECK(value == "{\"a\": 1}");
    CHECK(scan.at_end());
}

TEST_CASE("what is not JSON is refused")
{
    for (const auto* text : {"",          " ",           "nul",        "nulll",
                             "True",      "01",          "-",          "+1",
                             ".5",        "5.",          "1e",         "1e+",
                             "1e+-2",     "0x1",         "NaN",        "Infinity",
                             "'a'",       "\"",          "\"\\\"",     "\"\\x\"",
                             "\"\\u12\"", "\"\\u12g4\"", "\"\\u",      "\"a\nb\"",
                             "\"a\tb\"",  "[",           "]",          "[1",
                             "[1,",       "[1,]",        "[,1]",       "[1 2]",
                             "{",         "}",           "{\"a\"",     "{\"a\":",
                             "{\"a\":1",  "{\"a\":1,",   "{\"a\":1,}", "{,}",
                             "{1:2}",     "{a:1}",       "{\"a\" 1}",  "{\"a\":1 \"b\":2}",
                             "[1}",       "{\"a\":1]",   "[[]",        "[]]",
                             "{}{}",      "1 2",         "[1]x",       "[{]}",
                             "/**/1"}) {
        CAPTURE(text);
        CHECK_FALSE(is_json(text));
    }
    CHECK_FALSE(is_json(std::string_view("\0", 1)));
    CHECK_FALSE(is_json(std::string_view("\"\0\"", 3)));
}

TEST_CASE("depth is bounded, and hostile depth costs no stack")
{
    const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    CHECK(is_json(nested(512)));
    CHECK_FALSE(is_json(nested(513)));
    CHECK_FALSE(is_json(nested(10'000'000)));
    std::string objects;
    for (int i = 0; i < 1'000'000; ++i) {
        objects += "{\"a\":";
    }
    CHECK_FALSE(is_json(objects));
}

TEST_CASE("the members of an object are told raw and in order")
{
    std::vector<std::string> seen;
    json_scanner scan(R"( {"a" : 1.50 , "b\n":"x" ,"c":[ 1 ],"a":{}} )");
    REQUIRE(scan.object([&](std::string_view name, std::string_view value) {
        seen.push_back(std::string(name) + "=" + std::string(value));
        return true;
    }));
    CHECK(scan.at_end());
    CHECK(seen == std::vector<std::string>{R"("a"=1.50)", R"("b\n"="x")", R"("c"=[ 1 ])", R"("a"={})"});
}

TEST_CASE("a visitor stops the walk")
{
    int seen = 0;
    json_scanner scan(R"({"a":1,"b":2,"c":3})");
    CHECK_FALSE(scan.object([&](std::string_view, std::string_view) { return ++seen < 2; }));
    CHECK(seen == 2);
}

TEST_CASE("every beginning of a JSON text is refused")
{
    const std::string whole = R"({"a":[1,-2.5e+3,"\u00e9\\",{"b":null,"c":[true,false]}],"d":""})";
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CAPTURE(size);
        CHECK_FALSE(is_json(std::string_view(whole).substr(0, size)));
    }
    CHECK(is_json(whole));
}
