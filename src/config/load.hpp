#pragma once

#include "config/configuration.hpp"
#include "config/environment.hpp"
#include "config/problem.hpp"
#include "policy/table.hpp"

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

namespace rowcast::config {

// All problems at once, in the order of the file, rather than the first.
using loaded = std::variant<configuration, std::vector<problem>>;

// Reads the text of a bridge.yaml (docs/configuration.md). An empty text is the default configuration, in which nobody sees
// anything. Where `database.url` is not given, the variable DATABASE_URL gives it; it may be empty in the end.
loaded parse(const std::string& text, const environment& names);

// The same of a file; one that cannot be read, or is larger than this, is a problem too.
loaded load(const std::string& path, const environment& names = process_environment());

inline constexpr std::size_t largest_file = 1024 * 1024;

// What is wrong with the rules over these tables. Errors: a column that a table does not have, a predicate that its
// type cannot take, a rule that does not give the key, one that can never hold, rules for a table that is not watched.
// Warnings: a rule that another one makes useless, a watched table without rules.
std::vector<problem> check(const policy::rules& all, const policy::catalog& watched);

} // namespace rowcast::config
