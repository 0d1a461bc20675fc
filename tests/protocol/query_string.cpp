#include "protocol/query_string.hpp"

#include <catch2/catch.hpp>

#include "support/result.hpp"

using namespace rowcast;
using protocol::parse_query;
using protocol::percent_decode;

TEST_CASE("a query's parameters are decoded as browsers encode them", "[protocol]")
{
    auto read = parse_query("a=1+2&%22b%22=%C3%A9%2B&a=&c=x=y");
    REQUIRE(read);
    REQUIRE(read->size() == 4);
    CHECK((*read)[0].value == "1 2");
    CHECK((*read)[1].name == "\"b\"");
    CHECK((*read)[1].value == "é+");
    CHECK((*read)[2].value.empty());
    CHECK((*read)[3].value == "x=y");
    CHECK(parse_query("")->empty());
}

TEST_CASE("a query that could be read in two ways is refused", "[protocol]")
{
    const std::string query = GENERATE(as<std::string>(), "a=%", "a=%4", "a=%zz", "a=%00", "a=%0a", "a=%ff", "a=%c0%80", "a=%ed%a0%80",
                                       "a=%f5%80%80%80", "a=%c3", "=1", "a", "a=1&b", "a=1&&b=2", "a=\x7f");
    INFO(query);
    auto read = parse_query(query);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == core::error_code::bad_request);
}

TEST_CASE("in a path a + is a +", "[protocol]")
{
    CHECK(*percent_decode("a+b%20c", false) == "a+b c");
    CHECK(*percent_decode("%41", false) == "A");
}
