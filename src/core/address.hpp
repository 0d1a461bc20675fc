#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rowcast::core {

// An address of the Internet. IPv4 is kept as IPv6 maps it (::ffff:192.0.2.1, RFC 4291 section 2.5.5.2), so that an
// address is the same whichever kind of socket its owner came through.
struct address {
    using bytes_type = std::array<std::uint8_t, 16>;

    bytes_type bytes{};

    // 192.0.2.1, 2001:db8::1, ::ffff:192.0.2.1; without port, brackets or zone.
    static std::optional<address> parse(std::string_view text);
    static address v4(const std::array<std::uint8_t, 4>& bytes);

    bool is_v4() const;
    std::string to_string() const;

    // What stands for its owner where owners are counted: one of IPv6 has a network of 64 bits (RFC 6177), and could come from
    // another address of it each time.
    address owner() const;

    auto operator<=>(const address&) const = default;
};

// Whether it is a port's number, without zeros before it.
bool is_port(std::string_view text);

// All addresses that begin with the same bits.
struct network {
    address first;
    unsigned bits = 128; // of the 128, also for IPv4

    // 10.0.0.0/8, 2001:db8::/32, or one address. Bits beyond the prefix are kept: see is_exact().
    static std::optional<network> parse(std::string_view text);

    bool contains(const address& one) const;
    bool is_exact() const; // none of those is set
    bool is_everything() const; // of IPv4 or IPv6
    std::string to_string() const; // exact

    bool operator==(const network&) const = default;
};

} // namespace rowcast::core
