#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rowcast::policy {

// Numbers in canonical text (scalar.hpp). The texts read may have blanks around them.

// smallint, integer, bigint: the greatest value says which.
std::optional<std::string> read_integer(std::string_view text, std::int64_t greatest);
std::strong_ordering compare_integers(std::string_view left, std::string_view right);

// numeric: digits are kept, however many; 1.50, 1.5 and 15e-1 are one.
std::optional<std::string> read_numeric(std::string_view text);
std::strong_ordering compare_numerics(std::string_view left, std::string_view right);

// A canonical numeric as PostgreSQL and JSON spell a number.
std::string numeric_literal(const std::string& canonical);

// real (single) and double precision. NaN equals itself and is greater than everything, zero has no sign.
std::optional<std::string> read_floating(std::string_view text, bool single_precision);
std::strong_ordering compare_floatings(std::string_view left, std::string_view right);

} // namespace rowcast::policy
