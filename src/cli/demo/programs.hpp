#pragma once

#include <filesystem>

namespace rowcast::cli::demo {

// PostgreSQL's own programs.
struct programs {
    std::filesystem::path initdb;
    std::filesystem::path postgres;
    std::filesystem::path pgbench;
    std::filesystem::path psql;
};

// Looks into $ROWCAST_POSTGRES_BIN, `pg_config --bindir`, /usr/lib/postgresql/*/bin (the newest first) and $PATH. Throws
// std::runtime_error that says what to install.
programs find_programs();

} // namespace rowcast::cli::demo
