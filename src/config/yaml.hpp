#pragma once

#include "config/environment.hpp"
#include "config/problem.hpp"
#include "core/value.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace rowcast::config {

// YAML text as a tree with its marks, `${NAME}` replaced in its scalars (never in keys, and after the YAML was read, so that
// no value can become structure). Plain scalars are typed by YAML 1.2's core schema: `no` and `on` are texts, `null`,
// `true` and JSON's numbers are not. What came from the environment is a text always.
//
// Problems: syntax, duplicate keys, keys that are no scalars, tags, more than one document, variables that are not set,
// anchors that multiply beyond a limit.
core::value read_yaml(const std::string& text, const environment& names, std::vector<problem>& problems);

inline constexpr std::size_t most_yaml_nodes = 100'000;

} // namespace rowcast::config
