#pragma once

#include "cli/terminal.hpp"
#include "postgres/administration.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace rowcast::cli {

// What is wrong with a bridge, and what retention will soon do to its clients.
std::vector<std::string> bridge_warnings(const postgres::bridge_status& bridge, const postgres::database_status& status);

// What `rowcast status` says, for people. Pure.
std::string status_text(const postgres::database_status& status, const painter& paint, std::size_t width);

// The same for programs: one JSON object, with every member always there.
std::string status_json(const postgres::database_status& status);

} // namespace rowcast::cli
