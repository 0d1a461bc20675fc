#pragma once

#include "policy/table.hpp"

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace rowcast::policy {

// Values of columns in a canonical text: two values are equal in PostgreSQL exactly where their canonical texts are. A
// canonical text is never empty.

// Of the raw JSON in a row, as PostgreSQL's row_to_json prints it with TimeZone UTC. Nothing for null, and for what is
// no value of the type.
std::optional<std::string> canonical(type_family family, std::string_view json);

// Of a literal, read as PostgreSQL reads an untyped literal beside the column. Nothing where PostgreSQL would refuse
// it, or where its meaning hangs on settings that rowcast does not know (dates other than ISO 8601).
std::optional<std::string> canonical_literal(type_family family, std::string_view text);

// Whether `compare` orders the column's values as PostgreSQL does.
bool is_ordered(const column& of);

// The order of two canonical texts of an ordered column; unordered where one is a label that the column's type did not
// have when the catalog was read.
std::partial_ordering compare(const column& of, std::string_view left, std::string_view right);

// Whether there is equality for values of the family, also inside an array.
bool is_scalar(type_family family);

// "an integer", for messages.
std::string_view describe(type_family family);

} // namespace rowcast::policy
