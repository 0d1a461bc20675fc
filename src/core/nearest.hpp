#pragma once

#include <span>
#include <string>
#include <string_view>

namespace rowcast::core {

// The candidate that was probably meant by `word` (Levenshtein distance, at most a third of the word, two letters of a
// short one); empty where none is close. For error messages.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

// `; did you mean 'columns'?`, or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

} // namespace rowcast::core
