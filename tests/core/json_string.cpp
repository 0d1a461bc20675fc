#include "core/json_scanner.hpp"
#include "core/row.hpp"

#include <catch2/catch.hpp>

using namespace rowcast::core;

TEST_CASE("a JSON string is decoded to UTF-8")
{
    CHECK(decode_string(R"("")") == "");
    CHECK(decode_string(R"("a\"\\\/\b\f\n\r\tz")") == "a\"\\/\b\f\n\r\tz");
    CHECK(decode_string(R"("\u0041\u00e9\u20AC\ud83d\ude00")") == "A\u00e9\u20ac\U0001F600");
    CHECK(decode_string(R"("\u0000")") == std::string(1, '\0'));
    CHECK(decode_string("\"\u00e9\"") == "\u00e9");
}

TEST_CASE("what is no JSON string is not decoded")
{
    for (const auto* text :
         {"", "\"", "a", "'a'", "null", "\"a", "a\"", R"("\")", R"("\x")", R"("\u12")", R"("\u12g4")", R"("\ud83d")",
          R"("\ud83dx")", R"("\ud83d\n")", R"("\ud83d\u0041")", R"("\ude00")", R"("\u+123")", R"("a"b")"}) {
        CAPTURE(text);
        CHECK_FALSE(decode_string(text));
    }
}

TEST_CASE("every text survives being quoted and decoded")
{
    std::string all;
    for (int c = 0; c < 256; ++c) {
        all += static_cast<char>(c);
    }
    std::string quoted = "x";
    append_quoted(quoted, all);
    CHECK(quoted.front() == 'x');
    const std::string_view json = std::string_view(quoted).substr(1);
    CHECK(decode_string(json) == all);
    json_scanner scan(json);
    std::string_view value;
    CHECK(scan.value(value));
    CHECK(value == json);
}
