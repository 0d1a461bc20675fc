#pragma once

#include "config/configuration.hpp"
#include "config/problem.hpp"
#include "policy/explanation.hpp"

#include <optional>
#include <vector>

namespace rowcast::config {

// An expectation that the rules do not meet, or that cannot be asked.
struct disappointment {
    problem what;                           // a warning where it could not be decided without a database
    std::optional<policy::explanation> why; // what the user gets instead
};

// Holds the rules against the file's expectations. Without the watched tables (null) columns are those that the file
// names, of types taken from how the expectations' values are written.
std::vector<disappointment> hold(const configuration& file, const policy::catalog* watched);

// Roles of the expectations' users that no rule names, where one names almost the same: warnings.
std::vector<problem> misspelt_roles(const configuration& file);

} // namespace rowcast::config
