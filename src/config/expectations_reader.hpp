#pragma once

#include "config/expectation.hpp"
#include "config/section.hpp"

#include <vector>

namespace rowcast::config {

// The file's `expectations`.
std::vector<expectation> read_expectations(section& file);

} // namespace rowcast::config
