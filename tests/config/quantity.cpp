#include "config/quantity.hpp"

#include <catch2/catch.hpp>

using namespace rowcast::config;
using namespace std::chrono_literals;

TEST_CASE("a duration is a number and a unit")
{
    CHECK(parse_duration("500ms") == 500ms);
    CHECK(parse_duration("5s") == 5s);
    CHECK(parse_duration("10 m") == 10min);
    CHECK(parse_duration("24h") == 24h);
    CHECK(parse_duration("7D") == 168h);
    CHECK(parse_duration("0s") == 0ms);
    for (const auto* bad : {"", "5", "s", "-5s", "+5s", "5x", "5s ", " 5s", "1.5s", "1h30m", "99999999999999999999s",
                            "9223372036854775807d", "5  s"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_duration(bad));
    }
}

TEST_CASE("a size is a number and a unit of 1024")
{
    CHECK(parse_size("512B") == 512U);
    CHECK(parse_size("64KB") == 65536U);
    CHECK(parse_size("64kb") == 65536U);
    CHECK(parse_size("2GB") == 2147483648U);
    CHECK(parse_size("1 TB") == 1099511627776U);
    for (const auto* bad : {"", "64", "KB", "-1KB", "1KiB", "1.5GB", "9999999999999TB", "18446744073709551615B"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_size(bad));
    }
}

TEST_CASE("an endpoint is an address and a port")
{
    CHECK(parse_endpoint("127.0.0.1:8080")->address == "127.0.0.1");
    CHECK(parse_endpoint("127.0.0.1:8080")->port == 8080);
    CHECK(parse_endpoint("[::1]:0")->address == "::1");
    for (const auto* bad :
         {"", ":", "8080", ":8080", "localhost:8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
          "127.0.0:1", "256.0.0.1:1", "1.2.3.4.5:1", "::1:8080", "[]:1", "[::1]", "[x::]:1", "127.0.0.1:80 80"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_endpoint(bad));
    }
}
