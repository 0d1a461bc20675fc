#pragma once

#include "config/section.hpp"
#include "policy/rules.hpp"

#include <vector>

namespace rowcast::config {

// The file's `tables`, `channels` and `sets`.
policy::rules read_rules(section& file, std::vector<problem>& problems);

// Whether PostgreSQL would print a table's name so: schema and table, each plain (lower case) or in double quotes.
bool is_table_name(std::string_view text);

} // namespace rowcast::config
