#include <catch2/catch.hpp>

#include "protocol/utf8.hpp"

#include <string>

using namespace rowcast;
using namespace std::string_literals;
using protocol::is_utf8;
using protocol::whole_characters;

TEST_CASE("characters of one to four bytes are UTF-8, up to the last one of each length")
{
    for (const std::string& each : {""s, "\0"s, "\x7F"s, "\xC2\x80"s, "\xDF\xBF"s, "\xE0\xA0\x80"s, "\xED\x9F\xBF"s, "\xEE\x80\x80"s, "\xEF\xBF\xBF"s, "\xF0\x90\x80\x80"s,
                                    "\xF4\x8F\xBF\xBF"s, "a\u00e9\u20ac\U0001f600"s}) {
        CHECK(is_utf8(each));
    }
}

TEST_CASE("overlong forms, surrogates, what is beyond the last character and lone bytes are not UTF-8")
{
    for (const std::string& each : {"\x80"s, "\xBF"s, "\xC0\xAF"s, "\xC1\xBF"s, "\xC2\x41"s, "\xE0\x9F\xBF"s, "\xED\xA0\x80"s, "\xF0\x8F\xBF\xBF"s, "\xF4\x90\x80\x80"s,
                                    "\xF5\x80\x80\x80"s, "\xFF"s, "a\xE2\x28\xA1"s}) {
        CHECK_FALSE(is_utf8(each));
        CHECK_FALSE(whole_characters(each));
    }
}

TEST_CASE("a character of which a part has come is no mistake until it goes wrong")
{
    CHECK(whole_characters("a\xE2\x82") == 1);
    CHECK(whole_characters("\xF0\x9F\x98") == 0);
    CHECK_FALSE(is_utf8("a\xE2\x82"));
    CHECK_FALSE(whole_characters("a\xE0\x80"));
    CHECK_FALSE(whole_characters("a\xF4\x90"));
    CHECK_FALSE(whole_characters("a\xED\xA0"));
}
