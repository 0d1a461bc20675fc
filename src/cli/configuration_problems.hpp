#pragma once

#include "config/configuration.hpp"
#include "config/problem.hpp"
#include "policy/table.hpp"
#include "postgres/connection.hpp"

#include <string>
#include <vector>

namespace rowcast::cli {

// What is wrong with a configuration that can be read: with the files of its keys, and the names of its roles.
std::vector<config::problem> problems_of(const config::configuration& read);

// What does not fit this database: the rules, the queries of sets, the right to read initial rows. `url` is what `on` is
// connected to. Throws as connections do.
std::vector<config::problem> problems_with(const config::configuration& read, postgres::connection& on, const policy::catalog& watched,
                                           const std::string& url);

} // namespace rowcast::cli
