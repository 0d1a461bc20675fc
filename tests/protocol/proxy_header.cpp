#include <catch2/catch.hpp>

#include "protocol/proxy_header.hpp"

#include <random>
#include <string>

using namespace rowcast;
using namespace std::string_literals;
using protocol::parse_proxy_header;
using protocol::proxy_header;

namespace {

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string binary(char version_and_command, char kind, std::string rest)
{
    return signature + version_and_command + kind + static_cast<char>(rest.size() / 256) + static_cast<char>(rest.size() % 256) + rest;
}

const std::string four = "\xC0\x00\x02\x01\xC0\x00\x02\x02\xDC\x04\x01\xBB"s;
const std::string six = "\x20\x01\x0D\xB8"s + std::string(11, '\0') + "\x01" + "\x20\x01\x0D\xB8"s + std::string(11, '\0') + "\x02" + "\xDC\x04\x01\xBB"s;

std::string source_of(const std::string& bytes)
{
    const auto read = parse_proxy_header(bytes);
    if (const auto* header = std::get_if<proxy_header>(&read)) {
        return header->source ? header->source->to_string() : "nobody";
    }
    return std::holds_alternative<core::failure>(read) ? "refused" : "incomplete";
}

} // namespace

TEST_CASE("a line of the PROXY protocol names the client")
{
    CHECK(source_of("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n") == "192.0.2.1");
    CHECK(source_of("PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n") == "2001:db8::1");
    CHECK(source_of("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n") == "192.0.2.1");
    CHECK(source_of("PROXY UNKNOWN\r\n") == "nobody");
    CHECK(source_of("PROXY UNKNOWN ff:ff::ff ff:ff::ff 65535 65535\r\n") == "nobody");
    const std::string line = "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n";
    CHECK(std::get<proxy_header>(parse_proxy_header(line + "GET / HTTP/1.1\r\n\r\n")).size == line.size());
}

TEST_CASE("a binary header of the PROXY protocol names the client")
{
    CHECK(source_of(binary(0x21, 0x11, four)) == "192.0.2.1");
    CHECK(source_of(binary(0x21, 0x21, six)) == "2001:db8::1");
    CHECK(source_of(binary(0x21, 0x11, four + "\x04\x00\x01x"s)) == "192.0.2.1"); // with a TLV
    CHECK(source_of(binary(0x20, 0x00, "")) == "nobody");
    CHECK(source_of(binary(0x20, 0x11, four)) == "nobody"); // LOCAL: the address is to be ignored
    CHECK(source_of(binary(0x20, 0x7F, "")) == "nobody");
    CHECK(source_of(binary(0x21, 0x00, four)) == "nobody");
    CHECK(source_of(binary(0x21, 0x31, std::string(216, 'x'))) == "nobody"); // a Unix socket
    const std::string header = binary(0x21, 0x11, four + "1234567");
    CHECK(std::get<proxy_header>(parse_proxy_header(header + "GET /")).size == header.size());
}

TEST_CASE("what is no header of the PROXY protocol is refused, never guessed")
{
    for (const std::string& bad : {"GET / HTTP/1.1\r\n"s, "PROXY\r\n"s, "proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n"s, "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n"s,
                                   "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n"s, "PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n"s, "PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n"s,
                                   "PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n"s, "PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n"s, "PROXY TCP4 ::1 ::1 1 2\r\n"s,
                                   "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n"s, "PROXY TCP4 192.0.2.1 host 1 2\r\n"s, "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n"s,
                                   "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n"s + std::string(100, ' '), "PROXY UNKNOWN"s + std::string(100, 'x'), "\r\n\r\nx"s, "\x16\x03\x01"s,
                                   binary(0x11, 0x11, four), binary(0x22, 0x11, four), binary(0x21, 0x12, four), binary(0x21, 0x11, four.substr(1)),
                                   binary(0x21, 0x21, four), binary(0x21, 0x41, four), signature + "\x21\x11\xFF\xFF"s}) {
        INFO(bad);
        CHECK(source_of(bad) == "refused");
    }
}

TEST_CASE("a header of the PROXY protocol is awaited to its last byte, and no further")
{
    for (const std::string& whole : {"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"s, "PROXY UNKNOWN\r\n"s, binary(0x21, 0x21, six), binary(0x20, 0, "")}) {
        for (std::size_t size = 0; size < whole.size(); ++size) {
            CHECK(source_of(whole.substr(0, size)) == "incomplete");
        }
        CHECK(source_of(whole) != "incomplete");
    }
}

TEST_CASE("no bytes take the reading of a PROXY header out of its bounds")
{
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 5000; ++round) {
        std::string bytes = random() % 2 == 0 ? binary(0x21, 0x21, six) : "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n";
        for (int changes = random() % 4; changes >= 0; --changes) {
            bytes[random() % bytes.size()] = static_cast<char>(random());
        }
        bytes.resize(random() % (bytes.size() + 1));
        const auto read = parse_proxy_header(bytes);
        if (const auto* header = std::get_if<proxy_header>(&read)) {
            CHECK(header->size <= bytes.size());
        }
    }
}
