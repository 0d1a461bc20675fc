#include <catch2/catch.hpp>

#include "core/address.hpp"

using rowcast::core::address;
using rowcast::core::network;

TEST_CASE("an address is written as everybody writes it, and IPv4 is the same inside IPv6")
{
    CHECK(address::parse("192.0.2.1")->to_string() == "192.0.2.1");
    CHECK(address::parse("2001:0DB8::0001")->to_string() == "2001:db8::1");
    CHECK(address::parse("::ffff:192.0.2.1") == address::parse("192.0.2.1"));
    CHECK(address::parse("::ffff:c000:201")->is_v4());
    CHECK_FALSE(address::parse("::192.0.2.1")->is_v4());
    for (const char* const bad : {"", " 192.0.2.1", "192.0.2.1 ", "192.0.2", "192.0.2.256", "192.0.02.1", "0xc0000201", "3221225985", "192.0.2.1:80",
                                  "[::1]", "fe80::1%lo", "::1::", "localhost", "unknown", "1:2:3:4:5:6:7:8:9"}) {
        INFO(bad);
        CHECK_FALSE(address::parse(bad));
    }
    CHECK_FALSE(address::parse(std::string("::1\0", 4)));
    CHECK_FALSE(address::parse(std::string(10'000, '1')));
}

TEST_CASE("a network holds the addresses that begin as it does")
{
    const auto ten = network::parse("10.0.0.0/8");
    REQUIRE(ten);
    CHECK(ten->contains(*address::parse("10.255.0.1")));
    CHECK(ten->contains(*address::parse("::ffff:10.1.2.3")));
    CHECK_FALSE(ten->contains(*address::parse("11.0.0.0")));
    CHECK_FALSE(ten->contains(*address::parse("a00::")));
    CHECK(network::parse("172.16.0.0/12")->contains(*address::parse("172.31.255.255")));
    CHECK_FALSE(network::parse("172.16.0.0/12")->contains(*address::parse("172.32.0.0")));
    CHECK(network::parse("2001:db8::/33")->contains(*address::parse("2001:db8:7fff::")));
    CHECK_FALSE(network::parse("2001:db8::/33")->contains(*address::parse("2001:db8:8000::")));
    CHECK(network::parse("::1")->contains(*address::parse("::1")));
    CHECK_FALSE(network::parse("::1")->contains(*address::parse("::2")));
    for (const char* const bad : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0.0/8/8", "::/129", "10/8"}) {
        INFO(bad);
        CHECK_FALSE(network::parse(bad));
    }
}

TEST_CASE("a network knows what it was meant to be, and when it is everybody's")
{
    CHECK(network::parse("10.0.0.0/8")->is_exact());
    CHECK_FALSE(network::parse("10.0.0.1/8")->is_exact());
    CHECK(network::parse("10.0.0.1/8")->to_string() == "10.0.0.0/8");
    CHECK(network::parse("2001:db8::1/32")->to_string() == "2001:db8::/32");
    for (const char* const all : {"0.0.0.0/0", "::/0", "::ffff:0:0/96", "::/1"}) {
        INFO(all);
        CHECK(network::parse(all)->is_everything());
    }
    CHECK_FALSE(network::parse("0.0.0.0/1")->is_everything());
    CHECK_FALSE(network::parse("2000::/3")->is_everything());
}

TEST_CASE("who has an address of IPv6 has all of its network")
{
    CHECK(address::parse("192.0.2.1")->owner() == *address::parse("192.0.2.1"));
    CHECK(address::parse("2001:db8:1:2:3:4:5:6")->owner() == address::parse("2001:db8:1:2::1")->owner());
    CHECK(address::parse("2001:db8:1:2::1")->owner() != address::parse("2001:db8:1:3::1")->owner());
}
