#include "core/row.hpp"

#include <catch2/catch.hpp>

using namespace rowcast::core;

TEST_CASE("a row is cut into its fields without touching their digits")
{
    const row orders = row::parse(R"({"id":9007199254740993,"total":1.50,"note":null,"tags":["a", {"b":1}]})").value();
    REQUIRE(orders.size() == 4);
    CHECK(orders.present());
    CHECK(orders[0].name == "id");
    CHECK(orders[0].value == "9007199254740993");
    CHECK(orders.find("total") == "1.50");
    CHECK(orders.find("note") == "null");
    CHECK(orders.find("tags") == R"(["a", {"b":1}])");
    CHECK_FALSE(orders.find("missing"));
    CHECK(orders.json() == R"({"id":9007199254740993,"total":1.50,"note":null,"tags":["a", {"b":1}]})");
}

TEST_CASE("a hint finds a column, and a wrong one does not hide it")
{
    const row one = row::parse(R"({"a":1,"b":2,"c":3})").value();
    for (std::size_t hint = 0; hint < 5; ++hint) {
        CHECK(one.find("b", hint) == "2");
    }
}

TEST_CASE("names are decoded, and the text stays as it was")
{
    const row odd = row::parse(R"({"a\"b":1,"\u00e9\u00e9":2,"plain":3,"":4})").value();
    CHECK(odd.find("a\"b") == "1");
    CHECK(odd.find("\u00e9\u00e9") == "2");
    CHECK(odd.find("plain") == "3");
    CHECK(odd.find("") == "4");
    CHECK(odd.json() == R"({"a\"b":1,"\u00e9\u00e9":2,"plain":3,"":4})");
}

TEST_CASE("a row survives being moved, short ones too")
{
    for (const std::string& text : {std::string(R"({"a":1})"), R"({"a":1,"long":")" + std::string(1000, 'x') + "\"}"}) {
        row first = row::parse(text).value();
        const row second = std::move(first);
        CHECK(second.find("a") == "1");
        CHECK(second.json() == text);
    }
}

TEST_CASE("no row is no row, and an empty object is one")
{
    CHECK_FALSE(row().present());
    CHECK(row().size() == 0);
    CHECK_FALSE(row().find("a"));
    CHECK(row::parse("{}").value().present());
}

TEST_CASE("what is no JSON object is no row")
{
    for (const auto* text : {"", "null", "[]", "1", "\"a\"", "{", R"({"a"})", R"({"a":})", R"({"a":1,})", R"({"a":1}})",
                             R"({"a":1} x)", R"({a:1})", R"({"a":01})", R"({"\ud800":1})", R"({"a":"\u12"})"}) {
        CAPTURE(text);
        const auto read = row::parse(text);
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().code == error_code::malformed);
    }
}

TEST_CASE("a row has no more fields than a table can have columns")
{
    const auto with = [](int fields) {
        std::string text = "{\"c\":0";
        for (int i = 1; i < fields; ++i) {
            text += ",\"c" + std::to_string(i) + "\":" + std::to_string(i);
        }
        return row::parse(text + "}");
    };
    CHECK(with(1600).has_value());
    CHECK(with(1600).value().find("c1599") == "1599");
    CHECK_FALSE(with(1601).has_value());
}
