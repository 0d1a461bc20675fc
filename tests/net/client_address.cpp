#include <catch2/catch.hpp>

#include "net/client_address.hpp"

#include <random>

using namespace rowcast;
using core::address;
using net::find_client;
using net::to_string;

namespace {

config::trusted_proxies trusting(std::initializer_list<const char*> networks, bool unix_sockets = false)
{
    config::trusted_proxies made{{}, unix_sockets};
    for (const char* const each : networks) {
        made.networks.push_back(*core::network::parse(each));
    }
    return made;
}

std::string client(const char* peer, std::string_view forwarded_for, const config::trusted_proxies& proxies)
{
    return to_string(find_client(address::parse(peer), forwarded_for, proxies));
}

const auto ours = trusting({"10.0.0.0/8", "2001:db8::/32"});

} // namespace

TEST_CASE("nobody but a trusted proxy says for whom it asks")
{
    CHECK(client("192.0.2.1", "", ours) == "192.0.2.1");
    CHECK(client("192.0.2.1", "203.0.113.7", ours) == "192.0.2.1");
    CHECK(client("192.0.2.1", "203.0.113.7", {}) == "192.0.2.1");
    CHECK(client("10.0.0.1", "203.0.113.7", {}) == "10.0.0.1");
    CHECK(client("10.0.0.1", "203.0.113.7", ours) == "203.0.113.7");
    CHECK(client("10.0.0.1", "", ours) == "10.0.0.1");
}

TEST_CASE("the client is the rightmost whom no trusted proxy stands for, whatever it says itself")
{
    CHECK(client("10.0.0.1", "6.6.6.6, 203.0.113.7", ours) == "203.0.113.7");
    CHECK(client("10.0.0.1", "6.6.6.6, 203.0.113.7, 10.0.0.2", ours) == "203.0.113.7");
    CHECK(client("10.0.0.1", "6.6.6.6,10.9.9.9 ,203.0.113.7\t, 10.0.0.2", ours) == "203.0.113.7");
    CHECK(client("10.0.0.1", "10.0.0.3, 10.0.0.2", ours) == "10.0.0.3"); // a client among the proxies
}

TEST_CASE("what is no address in X-Forwarded-For is not believed, and neither is what stands left of it")
{
    for (const std::string garbage : {"unknown", "_hidden", "", "203.0.113.7 x", "203.0.113.256", "[203.0.113.7", "<script>", "unix:", "203.0.113.7:", "203.0.113.7:http",
                                      "203.0.113.7:65536", "203.0.113.7:-1", "[2a00::1]4711", "[2a00::1]:x"}) {
        INFO(garbage);
        CHECK(client("10.0.0.1", "6.6.6.6, " + garbage, ours) == (garbage == "unix:" ? "unix" : "10.0.0.1"));
        CHECK(client("10.0.0.1", "6.6.6.6, " + garbage + ", 10.0.0.2", ours) == (garbage == "unix:" ? "unix" : "10.0.0.2"));
        CHECK(client("10.0.0.1", garbage + ", 203.0.113.7", ours) == "203.0.113.7");
    }
    CHECK(client("10.0.0.1", ",", ours) == "10.0.0.1");
    CHECK(client("10.0.0.1", std::string(16'000, ','), ours) == "10.0.0.1");
}

TEST_CASE("an address in X-Forwarded-For may have a port, and IPv4 may be inside IPv6")
{
    CHECK(client("10.0.0.1", "203.0.113.7:4711", ours) == "203.0.113.7");
    CHECK(client("10.0.0.1", "[2a00::1]:4711", ours) == "2a00::1");
    CHECK(client("10.0.0.1", "[2a00::1]", ours) == "2a00::1");
    CHECK(client("10.0.0.1", "2a00::1", ours) == "2a00::1");
    CHECK(client("::ffff:10.0.0.1", "203.0.113.7, ::ffff:10.0.0.2", ours) == "203.0.113.7");
    CHECK(client("2001:db8::1", "203.0.113.7", ours) == "203.0.113.7");
}

TEST_CASE("who comes through a Unix socket is trusted by that, and not by an address")
{
    CHECK(to_string(find_client(std::nullopt, "203.0.113.7", ours)) == "unix");
    CHECK(to_string(find_client(std::nullopt, "203.0.113.7", trusting({}, true))) == "203.0.113.7");
    CHECK(to_string(find_client(std::nullopt, "203.0.113.7, unix:", trusting({}, true))) == "203.0.113.7"); // one proxy behind the other
    CHECK(to_string(find_client(std::nullopt, "", trusting({}, true))) == "unix");
}
