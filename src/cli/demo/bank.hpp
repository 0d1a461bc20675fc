#pragma once

#include "cli/demo/cluster.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rowcast::cli::demo {

// pgbench's bank, which is the application: it knows nothing of rowcast.
inline constexpr std::string_view database = "bank";
inline constexpr std::string_view owner = "bank"; // who the application and its people are
inline constexpr std::string_view bridge_role = "rowcast_bridge";
inline constexpr int branches = 3; // 10 tellers and 100,000 accounts each

// Makes the database with its roles and fills it.
void fill(const cluster& in, const programs& found, interruption& stop);

// The command of a gentle load without end: so many transactions a second.
std::vector<std::string> load_command(const cluster& in, const programs& found, int rate);

} // namespace rowcast::cli::demo
