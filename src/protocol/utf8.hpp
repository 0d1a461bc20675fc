#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace rowcast::protocol {

// How many bytes at the text's beginning are whole characters of UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF). What follows
// them, if anything, is the beginning of one more. Nothing where the text is not UTF-8, whatever comes after it.
std::optional<std::size_t> whole_characters(std::string_view text);

inline bool is_utf8(std::string_view text) { return whole_characters(text) == text.size(); }

} // namespace rowcast::protocol
