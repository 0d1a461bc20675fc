#include "protocol/json.hpp"

#include <catch2/catch.hpp>

#include "support/result.hpp"

#include <random>
#include <string>

using namespace rowcast;
using protocol::parse_json;

TEST_CASE("JSON goes through a tree and back, with its numbers digit for digit", "[protocol]")
{
    const std::string text = GENERATE(as<std::string>(), R"({"a":[1,-2,1.50,1e300,123456789012345678901234567890],"b":null})",
                                      R"(["\u0001","é",true,false,{},[]])", "0", R"("")");
    auto tree = parse_json(text);
    REQUIRE(tree);
    CHECK(protocol::to_json(*tree) == text);
}

TEST_CASE("text that is not JSON is malformed, and the message says where", "[protocol]")
{
    const std::string text = GENERATE(as<std::string>(), "", "{", "{\"a\":1,}", "nul", "[1 2]", "\"\xff\"", "{\"a\":1} x", "01",
                                      "\"\\ud800\"", std::string("{}\0", 3), std::string("{}\0{\"a\":1}", 10));
    auto tree = parse_json(text);
    REQUIRE_FALSE(tree);
    CHECK(tree.error().code == core::error_code::malformed);
    CHECK(tree.error().message.find("at byte") != std::string::npos);
}

TEST_CASE("a member that is there twice is refused by name", "[protocol]")
{
    auto tree = parse_json(R"({"x":{"role":"user","role":"admin"}})");
    REQUIRE_FALSE(tree);
    CHECK(tree.error().message.find("'role' is there twice") != std::string::npos);
    CHECK(parse_json(R"([{"a":1},{"a":2},{"b":{"a":1},"a":2}])"));
}

TEST_CASE("JSON has limits of depth and size", "[protocol]")
{
    const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    CHECK(parse_json(nested(5), {100, 5}));
    CHECK(parse_json(nested(6), {100, 5}).error().code == core::error_code::malformed);
    CHECK(parse_json(std::string(500'000, '[')).error().code == core::error_code::malformed);
    CHECK(parse_json("[1,2,3,4]", {5, 5}).error().code == core::error_code::message_too_large);
}

TEST_CASE("random bytes never do harm, and what is read is written as the same tree", "[protocol]")
{
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random(seed);
    const std::string alphabet = "{}[]\",:\\utfn0123456789.eE+-ab \xc3\xa9";
    int read = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        for (std::size_t i = random() % 12; i > 0; --i) {
            text += alphabet[random() % alphabet.size()];
        }
        if (auto tree = parse_json(text)) {
            ++read;
            auto again = parse_json(protocol::to_json(*tree));
            REQUIRE(again);
            REQUIRE(protocol::to_json(*again) == protocol::to_json(*tree));
        }
    }
    CHECK(read > 0);
}
