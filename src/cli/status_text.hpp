#pragma once

#include "cli/terminal.hpp"
#include "postgres/administration.hpp"

#include <cstddef>
#include <string>

namespace rowcast::cli {

// What `rowcast status` says, for people. Pure.
std::string status_text(const postgres::database_status& status, const painter& paint, std::size_t width);

// The same for programs: one JSON object, with every member always there.
std::string status_json(const postgres::database_status& status);

} // namespace rowcast::cli
