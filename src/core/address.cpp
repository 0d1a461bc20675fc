#include "core/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "core/whole_number.hpp"

namespace rowcast::core {
namespace {

constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr unsigned owner_bits = 64;

address mask(address one, unsigned bits)
{
    for (std::size_t i = 0; i < one.bytes.size(); ++i) {
        const unsigned kept = std::clamp(static_cast<int>(bits) - static_cast<int>(i) * 8, 0, 8);
        one.bytes[i] &= static_cast<std::uint8_t>(0xFF00U >> kept);
    }
    return one;
}

} // namespace

address address::v4(const std::array<std::uint8_t, 4>& bytes)
{
    address made;
    std::copy(mapped.begin(), mapped.end(), made.bytes.begin());
    std::copy(bytes.begin(), bytes.end(), made.bytes.begin() + mapped.size());
    return made;
}

std::optional<address> address::parse(std::string_view text)
{
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    std::copy(text.begin(), text.end(), terminated.begin());
    std::array<std::uint8_t, 4> four{};
    if (::inet_pton(AF_INET, terminated.data(), four.data()) == 1) {
        return v4(four);
    }
    address made;
    return ::inet_pton(AF_INET6, terminated.data(), made.bytes.data()) == 1 ? std::optional(made) : std::nullopt;
}

bool address::is_v4() const
{
    return std::equal(mapped.begin(), mapped.end(), bytes.begin());
}

std::string address::to_string() const
{
    std::array<char, INET6_ADDRSTRLEN> text{};
    return is_v4() ? ::inet_ntop(AF_INET, bytes.data() + mapped.size(), text.data(), text.size())
                   : ::inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
}

address address::owner() const
{
    return is_v4() ? *this : mask(*this, owner_bits);
}

bool is_port(std::string_view text)
{
    return whole_number<std::uint16_t>(text) && (text.size() == 1 || text.front() != '0');
}

std::optional<network> network::parse(std::string_view text)
{
    const std::size_t slash = text.find('/');
    const auto first = address::parse(text.substr(0, slash));
    if (!first) {
        return std::nullopt;
    }
    network made{*first};
    if (slash == std::string_view::npos) {
        return made;
    }
    const bool dotted = text.find(':') == std::string_view::npos; // ::ffff:10.0.0.0/104 counts all of its bits
    const auto bits = whole_number<unsigned>(text.substr(slash + 1));
    if (!bits || *bits > (dotted ? 32 : 128)) {
        return std::nullopt;
    }
    made.bits = *bits + (dotted ? 96 : 0);
    return made;
}

bool network::contains(const address& one) const
{
    return mask(one, bits) == mask(first, bits);
}

bool network::is_exact() const
{
    return mask(first, bits) == first;
}

bool network::is_everything() const
{
    return bits == 0 || (bits <= 96 && contains(address::v4({})));
}

std::string network::to_string() const
{
    const address exact = mask(first, bits);
    const bool dotted = exact.is_v4() && bits >= 96;
    return exact.to_string() + "/" + std::to_string(dotted ? bits - 96 : bits);
}

} // namespace rowcast::core
