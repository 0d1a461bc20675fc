#pragma once

#include "cli/terminal.hpp"
#include "config/configuration.hpp"
#include "postgres/administration.hpp"
#include "postgres/health.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace rowcast::cli {

// What is so, why it matters, and what to do: the exact statement or setting.
struct finding {
    enum class severity { warning, error } how_bad = severity::warning; // error: changes are lost, late, or nobody gets them
    std::string what;
    std::string why;
    std::string remedy;
};

// One thing that was looked at; without findings all is well with it.
struct examination {
    std::string subject;
    std::vector<finding> findings;
};

// What may be so without being said.
struct tolerance {
    std::chrono::seconds transaction = std::chrono::minutes(5); // twelve times that is an error
    double queue = 0.1;                                         // of the notification queue
    std::uint64_t kept_wal = 1ULL << 30;                        // bytes, by a replication slot that nobody uses
    std::uint64_t held_transactions = 1'000'000;
    std::uint64_t dead_rows = 100'000;
    double connections = 0.9;
    std::chrono::milliseconds clock = std::chrono::seconds(5);
    double retention = 1.25; // times the age or size that is kept
};

// Everything that is to be known about a database. Pure. `keep` is the configuration's retention; without one, that of the
// bridges that are running counts.
std::vector<examination> diagnose(const postgres::database_status& status, const postgres::database_health& health,
                                  const config::retention* keep, const tolerance& within = {});

// All that `rowcast doctor` looks at with this configuration, which `name` was read from: files and key sets besides, as
// the role that it connects as. Takes seconds where something does not answer.
std::vector<examination> examine(const config::configuration& file, const std::string& name); // doctor.cpp

bool has_errors(const std::vector<examination>& all);

std::string diagnosis_text(const std::vector<examination>& all, const painter& paint);

// A list of objects, one a finding, and one for each subject without any.
std::string diagnosis_json(const std::vector<examination>& all);

} // namespace rowcast::cli
