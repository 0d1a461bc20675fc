#pragma once

#include "policy/table.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rowcast::policy {

// The elements of an array of scalars in row_to_json's spelling, canonical and without nulls, of all dimensions; nothing
// where it is no array.
std::optional<std::vector<std::string>> canonical_elements(type_family element, std::string_view json);

// `{a,"b c",NULL}` as PostgreSQL reads it, null for null. Nothing where PostgreSQL would refuse it, and for what is
// rarely written: more than one dimension, bounds, backslashes outside of quotes.
std::optional<std::vector<std::optional<std::string>>> read_array(std::string_view literal);

} // namespace rowcast::policy
