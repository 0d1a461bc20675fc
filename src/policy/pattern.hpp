#pragma once

#include <string>
#include <string_view>

namespace rowcast::policy {

// LIKE over UTF-8 under a deterministic collation: `%` is any text, `_` one character, and `\` takes the next character
// as it is.

// An evaluation takes up to the pattern's length times the text's.
constexpr std::size_t longest_pattern = 256;

// PostgreSQL refuses a pattern that ends in its escape character, where it comes so far.
bool ends_in_escape(std::string_view pattern);

bool is_like(std::string_view text, std::string_view pattern);

// Folded as ILIKE does under the collation "C": ASCII only.
std::string fold(std::string_view text);

} // namespace rowcast::policy
