#pragma once

#include "cli/exit_status.hpp"
#include "config/configuration.hpp"

#include <CLI/CLI.hpp>

#include <string>
#include <variant>

namespace rowcast::cli {

// Where a command finds its database: --database, the file of --config, DATABASE_URL, or libpq's own variables (PGHOST, ...).
struct database_choice {
    std::string url;
    std::string file;
};

void add_database_options(CLI::App& command, database_choice& into);

template <class T>
using or_exit = std::variant<T, exit_status>;

// The connection string; where there is none, says so and what to give.
or_exit<std::string> find_database(const database_choice& from);

// The configuration of a file; what is wrong with it is said on stderr, warnings too.
or_exit<config::configuration> read_configuration(const std::string& file);

} // namespace rowcast::cli
