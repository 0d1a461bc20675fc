#include "config/quantity.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <string>
#include <utility>

#include "core/whole_number.hpp"

namespace rowcast::config {
namespace {

template <class Number>
bool take_number(std::string_view& text, Number& number)
{
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || text.front() == '-') {
        return false;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
}

std::string lower(std::string_view text)
{
    std::string made(text);
    std::transform(made.begin(), made.end(), made.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return made;
}

// A number and one of the units, with at most one blank between them.
template <std::size_t Count>
std::optional<std::uint64_t> parse_quantity(std::string_view text,
                                            const std::array<std::pair<std::string_view, std::uint64_t>, Count>& units)
{
    std::uint64_t number = 0;
    if (!take_number(text, number)) {
        return std::nullopt;
    }
    text.remove_prefix(text.starts_with(' ') ? 1 : 0);
    const std::string unit = lower(text);
    for (const auto& [name, factor] : units) {
        if (unit == name) {
            constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
            return number <= most / factor ? std::optional(number * factor) : std::nullopt;
        }
    }
    return std::nullopt;
}

bool is_ipv4(std::string_view text)
{
    for (int part = 0; part < 4; ++part) {
        std::uint8_t number = 0;
        if (part > 0) {
            if (!text.starts_with('.')) {
                return false;
            }
            text.remove_prefix(1);
        }
        if (!take_number(text, number)) {
            return false;
        }
    }
    return text.empty();
}

// Its shape only: whoever listens parses it.
bool may_be_ipv6(std::string_view text)
{
    return text.find(':') != std::string_view::npos &&
           text.find_first_not_of("0123456789abcdefABCDEF:.%") == std::string_view::npos;
}

constexpr std::string_view unix_prefix = "unix:";
constexpr std::size_t longest_path = 100; // 107 bytes may stand in a sockaddr_un; the rest is for one beside it

} // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text)
{
    constexpr std::array<std::pair<std::string_view, std::uint64_t>, 5> units = {
        {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
    const auto count = parse_quantity(text, units);
    return count ? std::optional(std::chrono::milliseconds(static_cast<std::int64_t>(*count))) : std::nullopt;
}

std::optional<std::uint64_t> parse_size(std::string_view text)
{
    constexpr std::array<std::pair<std::string_view, std::uint64_t>, 5> units = {
        {{"b", 1}, {"kb", 1ULL << 10}, {"mb", 1ULL << 20}, {"gb", 1ULL << 30}, {"tb", 1ULL << 40}}};
    return parse_quantity(text, units);
}

std::optional<endpoint> parse_endpoint(std::string_view text)
{
    if (text.starts_with(unix_prefix)) {
        text.remove_prefix(unix_prefix.size());
        const bool fits = text.starts_with('/') && !text.ends_with('/') && text.size() <= longest_path && text.find('\0') == std::string_view::npos;
        return fits ? std::optional(endpoint{std::string(text), 0}) : std::nullopt;
    }
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    std::string_view address = text.substr(0, colon);
    std::string_view port = text.substr(colon + 1);
    const bool bracketed = address.size() > 2 && address.front() == '[' && address.back() == ']';
    if (bracketed) {
        address = address.substr(1, address.size() - 2);
    }
    endpoint made{std::string(address), 0};
    if (!(bracketed ? may_be_ipv6(address) : is_ipv4(address)) || !take_number(port, made.port) || !port.empty()) {
        return std::nullopt;
    }
    return made;
}

std::string to_string(const endpoint& one)
{
    if (one.is_path()) {
        return std::string(unix_prefix) + one.address;
    }
    const bool brackets = one.address.find(':') != std::string::npos;
    return (brackets ? "[" + one.address + "]" : one.address) + ":" + std::to_string(one.port);
}

std::optional<unsigned> parse_mode(std::string_view text)
{
    const auto mode = core::whole_number<unsigned>(text, 8);
    return text.size() >= 3 && mode && *mode <= 0777 ? mode : std::nullopt;
}

} // namespace rowcast::config
