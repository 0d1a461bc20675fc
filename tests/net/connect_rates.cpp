#include <catch2/catch.hpp>

#include "net/connect_rates.hpp"

using namespace rowcast;
using namespace std::chrono_literals;

namespace {

const auto one = *core::address::parse("192.0.2.1");
const net::rate::time start{1h};

// How many come in at that moment.
int admitted(net::connect_rates& rates, std::size_t per_second, net::rate::time now, const core::address& from = one)
{
    int many = 0;
    while (rates.take(from, per_second, now)) {
        ++many;
    }
    return many;
}

} // namespace

TEST_CASE("an address connects so often a second, with what four seconds saved up", "[net]")
{
    net::connect_rates rates;
    CHECK(admitted(rates, 2, start) == 8);
    CHECK(admitted(rates, 2, start + 1s) == 2);
    CHECK(admitted(rates, 2, start + 1h) == 8);
    CHECK(rates.take(one, 2, start + 1h).error().code == core::error_code::too_many_connects);
    CHECK(admitted(rates, 2, start + 1h, *core::address::parse("192.0.2.2")) == 8);
}

TEST_CASE("another limit of connections holds for those who have been counted too", "[net]")
{
    net::connect_rates rates;
    CHECK(admitted(rates, 1, start) == 4);
    CHECK(admitted(rates, 10, start) == 40);
    CHECK(admitted(rates, 10, start + 1s) == 10);
}
