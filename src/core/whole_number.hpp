#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>

namespace rowcast::core {

// The number that the text is, all of it; nothing where it is none, or one that does not fit.
template <std::integral Whole>
std::optional<Whole> whole_number(std::string_view text, int base = 10)
{
    Whole number{};
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number, base);
    return read.ec == std::errc{} && read.ptr == end ? std::optional(number) : std::nullopt;
}

} // namespace rowcast::core
