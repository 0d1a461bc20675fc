#pragma once

#include "core/cursor.hpp"
#include "core/result.hpp"
#include "observe/observation.hpp"
#include "postgres/rows.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace rowcast::postgres {

// Which changes a reader wants; both empty: all of them. Taken together as one list ("or").
struct log_filter {
    std::vector<std::string> tables;
    std::vector<std::string> channels;
};

// The one statement that reads rowcast.change_log: what `target` (or, where there is none, this moment) sees and a
// snapshot does not, beyond a place, whole transactions in the order of their highest id. Its first row is about the
// moment, the others are changes. It relies on these session settings: `log_statement_settings`.
extern const std::string log_statement;
extern const std::string log_statement_settings;

// One change by its id ($1), in the form of the other rows. It looks at the whole log: for people, not for the bridge.
extern const std::string one_change_statement;

// The parameters of `log_statement`. `limit` counts changes.
std::vector<parameter> log_parameters(const core::cursor& from, const log_filter& filter,
                                      std::optional<std::size_t> limit);

// The first row.
struct log_moment {
    core::snapshot now;
    std::uint64_t written = 0; // pg_current_wal_insert_lsn(): what `now` sees has been written below it
    std::uint64_t flushed = 0; // pg_current_wal_flush_lsn()
    // Retention may have removed something that the reader has not seen (cursor_expired), or the log is a restored one
    // that nobody has claimed yet (cursor_foreign); no changes follow.
    std::optional<core::error_code> lost;
    int backend = 0;
    std::chrono::system_clock::time_point clock; // the database's
};

log_moment read_moment(const rows& first);

// Another row. A change that cannot be read is told to `sink` and becomes a RESYNC of its table: a stream never ends
// for one row.
core::change read_change(const rows& row, const observe::sink& sink);

// "16/B374D848", PostgreSQL's pg_lsn.
std::uint64_t parse_lsn(std::string_view text);
std::string format_lsn(std::uint64_t lsn);

} // namespace rowcast::postgres
