#include "observe/repetition.hpp"

#include <catch2/catch.hpp>

using rowcast::observe::repetition;
using namespace std::chrono_literals;

TEST_CASE("so many repeated lines are let through an interval, and the next one says how many were left out")
{
    repetition repeated{2, 60s};
    const repetition::clock::time_point start{};
    CHECK(repeated.admit("database_lost", start) == 0U);
    CHECK(repeated.admit("database_lost", start + 1s) == 0U);
    CHECK(repeated.admit("database_lost", start + 2s) == std::nullopt);
    CHECK(repeated.admit("database_lost", start + 59s) == std::nullopt);
    CHECK(repeated.admit("database_lost", start + 60s) == 2U);
    CHECK(repeated.admit("database_lost", start + 61s) == 0U);
    CHECK(repeated.admit("database_lost", start + 62s) == std::nullopt);
}

TEST_CASE("one kind of line does not use up another's share")
{
    repetition repeated{1, 60s};
    const repetition::clock::time_point start{};
    CHECK(repeated.admit("database_lost", start));
    CHECK_FALSE(repeated.admit("database_lost", start));
    CHECK(repeated.admit("request_refused", start));
}
