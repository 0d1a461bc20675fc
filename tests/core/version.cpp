#include "core/version.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

TEST_CASE("the version is three numbers")
{
    const std::string_view version = rowcast::core::version();
    CHECK(std::count(version.begin(), version.end(), '.') == 2);
    CHECK(version.find_first_not_of("0123456789.") == version.npos);
}
