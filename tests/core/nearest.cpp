#include "core/nearest.hpp"

#include <catch2/catch.hpp>

#include <array>

using namespace rowcast::core;

TEST_CASE("the word that was probably meant is found")
{
    constexpr std::array<std::string_view, 4> words = {"columns", "where", "roles", "a"};
    CHECK(nearest("colums", words) == "columns");
    CHECK(nearest("Where", words) == "where");
    CHECK(nearest("rolse", words) == "roles");
    CHECK(nearest("roles", words) == "roles");
    CHECK(nearest("tables", words) == "");
    CHECK(nearest("", words) == "a");
    CHECK(nearest("columns", {}) == "");
    CHECK(did_you_mean("colums", words) == "; did you mean 'columns'?");
    CHECK(did_you_mean("xyz", words) == "");
}

TEST_CASE("words of any length are looked at in bounded time")
{
    const std::string endless(10'000'000, 'x');
    const std::array<std::string_view, 1> words = {endless};
    CHECK(nearest(endless, words) == "");
    CHECK(nearest("x", words) == "");
}
