#include "protocol/proxy_header.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace rowcast::protocol {
namespace {

using namespace std::string_view_literals;
using parsed = std::variant<proxy_header, incomplete_header, core::failure>;

constexpr auto signature_1 = "PROXY "sv;
constexpr std::size_t longest_line = 107; // with its end, section 2.1
constexpr auto signature_2 = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t fixed_part = 16;

core::failure wrong(std::string what)
{
    return {core::error_code::malformed, "the PROXY protocol's header " + std::move(what)};
}

std::vector<std::string_view> split(std::string_view line)
{
    std::vector<std::string_view> words;
    for (;;) {
        const std::size_t blank = line.find(' ');
        words.push_back(line.substr(0, blank));
        if (blank == std::string_view::npos) {
            return words;
        }
        line.remove_prefix(blank + 1);
    }
}

// PROXY TCP4 192.0.2.1 192.0.2.2 56324 443
parsed parse_line(std::string_view bytes)
{
    const std::size_t end = bytes.substr(0, longest_line).find("\r\n");
    if (end == std::string_view::npos) {
        return bytes.size() < longest_line ? parsed(incomplete_header{}) : wrong("has a line without an end");
    }
    const std::size_t size = end + 2;
    const auto words = split(bytes.substr(0, end));
    if (words[1] == "UNKNOWN") {
        return proxy_header{size, std::nullopt};
    }
    const bool is_v4 = words[1] == "TCP4";
    if ((!is_v4 && words[1] != "TCP6") || words.size() != 6) {
        return wrong("is not of the form 'PROXY TCP4 from to port port'");
    }
    const auto from = core::address::parse(words[2]);
    const auto to = core::address::parse(words[3]);
    const auto fits = [&](const auto& one, std::string_view text) { return one && (text.find(':') == std::string_view::npos) == is_v4; };
    if (!fits(from, words[2]) || !fits(to, words[3]) || !core::is_port(words[4]) || !core::is_port(words[5])) {
        return wrong("has no address or port where one belongs");
    }
    return proxy_header{size, from};
}

parsed parse_binary(std::string_view bytes)
{
    if (bytes.size() < fixed_part) {
        return incomplete_header{};
    }
    const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); };
    const std::size_t length = byte(14) * std::size_t{256} + byte(15);
    const unsigned command = byte(12) & 0x0FU;
    if (byte(12) >> 4U != 2 || command > 1) {
        return wrong("is of another version or command than 2 has");
    }
    if (fixed_part + length > longest_proxy_header) {
        return wrong("is longer than " + std::to_string(longest_proxy_header) + " bytes");
    }
    if (bytes.size() < fixed_part + length) {
        return incomplete_header{};
    }
    proxy_header read{fixed_part + length, std::nullopt};
    const auto source = bytes.substr(fixed_part);
    const auto copy = [&](auto& into) { std::transform(source.begin(), source.begin() + into.size(), into.begin(), [](char c) { return static_cast<std::uint8_t>(c); }); };
    constexpr std::uint8_t unspecified = 0x00, tcp4 = 0x11, tcp6 = 0x21, local_stream = 0x31;
    const std::uint8_t kind = byte(13);
    if (command == 0 || kind == unspecified || kind == local_stream) {
        return read; // of LOCAL the kind means nothing
    }
    if (kind == tcp4 && length >= 12) {
        std::array<std::uint8_t, 4> four{};
        copy(four);
        read.source = core::address::v4(four);
    } else if (kind == tcp6 && length >= 36) {
        copy(read.source.emplace().bytes);
    } else {
        return wrong("tells of no connection of TCP, or too little of it");
    }
    return read;
}

} // namespace

parsed parse_proxy_header(std::string_view bytes)
{
    const auto begins = [&](std::string_view signature) {
        return bytes.substr(0, signature.size()) == signature.substr(0, bytes.size());
    };
    if (begins(signature_2)) {
        return bytes.size() < signature_2.size() ? parsed(incomplete_header{}) : parse_binary(bytes);
    }
    if (begins(signature_1)) {
        return bytes.size() < signature_1.size() ? parsed(incomplete_header{}) : parse_line(bytes);
    }
    return wrong("is missing");
}

} // namespace rowcast::protocol
