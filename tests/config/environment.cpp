#include "config/given.hpp"

#include <catch2/catch.hpp>

using namespace rowcast;
using namespace rowcast::tests;

namespace {

std::string expanded(std::string_view text)
{
    const auto read = config::expand(text, with({{"A", "alpha"}, {"EMPTY", ""}, {"ODD", "${A} } : # [$"}}));
    const auto* good = std::get_if<config::expansion>(&read);
    return good ? good->text : "refused: " + std::get<std::string>(read);
}

} // namespace

TEST_CASE("variables are replaced, once")
{
    CHECK(expanded("${A}") == "alpha");
    CHECK(expanded("x${A}y${A}z") == "xalphayalphaz");
    CHECK(expanded("${ODD}") == "${A} } : # [$");
    CHECK(expanded("${EMPTY}") == "");
}

TEST_CASE("a default stands for what is not set or empty")
{
    CHECK(expanded("${NONE:-beta}") == "beta");
    CHECK(expanded("${EMPTY:-beta}") == "beta");
    CHECK(expanded("${A:-beta}") == "alpha");
    CHECK(expanded("${NONE:-}") == "");
    CHECK(expanded("${NONE:-a:-b}") == "a:-b");
}

TEST_CASE("other dollars are plain")
{
    CHECK(expanded("$claims.sub") == "$claims.sub");
    CHECK(expanded("$A $ $$ 5$") == "$A $ $$ 5$");
    CHECK(expanded("$${A}") == "${A}");
}

TEST_CASE("what is no variable is refused with the way out")
{
    CHECK(contains(expanded("${NONE}"), "NONE is not set"));
    CHECK(contains(expanded("${A"), "without its '}'"));
    for (const auto* bad : {"${}", "${1A}", "${A B}", "${A-b}", "${:-b}", "${${A}}"}) {
        CAPTURE(bad);
        CHECK(contains(expanded(bad), "refused"));
    }
}
