#pragma once

#include <string>
#include <vector>

#include "config/configuration.hpp"

namespace rowcast::config {

// What differs and takes effect with a restart only: "server.listen", ... A reload changes everything else.
std::vector<std::string> needs_restart(const configuration& running, const configuration& wanted);

} // namespace rowcast::config
