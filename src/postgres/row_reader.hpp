#pragma once

#include "core/result.hpp"
#include "core/row.hpp"
#include "core/snapshot.hpp"
#include "observe/observation.hpp"
#include "policy/visibility.hpp"
#include "postgres/connection.hpp"
#include "postgres/log_identity.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace rowcast::postgres {

// Reads the rows that a viewer sees, as of one snapshot that is a cursor of the log at the same time: what comes after it is
// exactly what is not in the rows. Used by one thread at a time; calls block, until `stop` is set at the longest.
//
// The bridge's own connection takes the snapshot and lends it to the reader's (pg_export_snapshot). So the reader's role
// needs nothing but to select from the tables, and that it reads the same database is PostgreSQL's word: another one does not
// have the snapshot. The connections are kept for the next reading.
class row_reader {
public:
    // What is given here must outlive it; `stop` may be null.
    row_reader(connection_options bridge, connection_options reader, const observe::sink& sink, const event* stop);

    // Begins a reading; the one before is ended. The snapshot is on disk: nothing that a crash could take back is in
    // it. Fails with unavailable, also where `expected` is no longer the database's log.
    core::result<core::snapshot> open(const log_identity& expected);

    // Begins one table's rows, in the order of the key where `most` is given. `of` must live until the last row.
    // It and `next` fail with rows_timeout where PostgreSQL takes longer than statement_timeout, or with unavailable.
    core::result<void> select(const policy::visibility& of, std::optional<std::size_t> most);

    // As capture would log its INSERT now. A row too large for the log has its key only.
    struct row {
        core::row columns;
        bool truncated = false;
    };

    core::result<std::optional<row>> next(); // nothing at the end

    // Ends the transaction. A connection that is in the middle of something is given up.
    void close();

private:
    template <class Action> auto attempt(const std::string& what, Action action) -> core::result<decltype(action())>;
    core::snapshot take_snapshot(const log_identity& expected);
    std::optional<row> next_row();

    connection_options bridge_options_;
    connection_options reader_options_;
    const observe::sink& sink_;
    const event* stop_;
    std::optional<connection> bridge_;
    std::optional<log_identity> identity_; // of what `bridge_` is connected to
    std::optional<connection> reader_;
    std::string table_;
    bool open_ = false;
    bool fetching_ = false;
    std::size_t fetched_ = 0; // rows of the FETCH under way
};

// The statement for one table, whose rows are (the JSON, or null where it is too large; then its key's JSON).
struct row_statement {
    std::string text;
    std::vector<parameter> parameters;
};

row_statement make_row_statement(const policy::visibility& of, std::optional<std::size_t> most);

} // namespace rowcast::postgres
