#include "core/base64url.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace rowcast::core;

TEST_CASE("the test vectors of RFC 4648 section 10, without their padding")
{
    const std::pair<const char*, const char*> vectors[] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xbf", "-_-_"}};
    for (const auto& [bytes, text] : vectors) {
        CHECK(to_base64url(bytes) == text);
        CHECK(from_base64url(text) == bytes);
    }
}

TEST_CASE("all bytes survive")
{
    std::mt19937 random(1);
    for (std::size_t size = 0; size < 100; ++size) {
        std::string bytes(size, '\0');
        for (char& byte : bytes) {
            byte = static_cast<char>(random());
        }
        CHECK(from_base64url(to_base64url(bytes)) == bytes);
    }
}

TEST_CASE("each string of bytes has one spelling only")
{
    for (const auto* text :
         {"Z", "Zm9vY", "Zg==", "Zh", "Zm9", "Zm8=", "Zm 8", "Zm8\n", "+/+/", "Zm9v!", "Z\xc3\xa9"}) {
        CAPTURE(text);
        CHECK_FALSE(from_base64url(text));
    }
    CHECK_FALSE(from_base64url(std::string_view("Zm9\0", 4)));
}
