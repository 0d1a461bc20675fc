#pragma once

#include "core/batch.hpp"
#include "core/cursor.hpp"
#include "core/result.hpp"
#include "postgres/connection.hpp"
#include "postgres/log_identity.hpp"
#include "postgres/log_step.hpp"

#include <optional>

namespace rowcast::postgres {

// Reads the log from a cursor to now, in pages, for those whom the ring of recent batches no longer reaches. Used by
// one thread at a time (not necessarily the same); calls block, until `stop` is set at the longest. It keeps its connection for
// the next reading.
class log_reader {
public:
    // All given here must outlive it; `stop` may be null.
    log_reader(connection_options options, const observe::sink& sink, const event* stop, page_limits limits = {});

    // Begins a reading; what was read before is forgotten. `expected` is the log that `from` belongs to. Never fails:
    // the first page does.
    void open(log_identity expected, core::cursor from, log_filter filter);

    // The next page; null at the end, when `position` is as of now. An empty page only moves the position.
    // Fails with cursor_expired, cursor_foreign (the database has another log by now) or unavailable; after the last one
    // `next` may be called again, and goes on where it was.
    core::result<core::batch_ptr> next();

    // After cursor_expired: the newest transaction that retention has removed; cursors whose xmin is beyond it hold.
    std::optional<core::transaction_id> expired_through() const { return expired_through_; }

    // After the pages so far.
    const core::cursor& position() const { return position_; }

    // To be called where the next page is not wanted soon: lets the server remove dead rows meanwhile.
    void suspend();

    // Ends the reading. The connection is kept where it is idle.
    void close();

private:
    void connect();
    core::result<core::batch_ptr> next_page();

    connection_options options_;
    const observe::sink& sink_;
    const event* stop_;
    page_limits limits_;

    std::optional<connection> connection_;
    std::optional<log_identity> connected_to_;
    std::optional<log_step> step_; // on connection_
    bool open_ = false;
    bool to_now_ = false; // the step under way goes to now, not only to the target of the cursor
    bool reached_now_ = false;
    log_identity expected_;
    log_filter filter_;
    core::cursor position_;
    std::optional<core::transaction_id> expired_through_;
    std::size_t pages_ = 0;
    std::size_t changes_ = 0;
};

} // namespace rowcast::postgres
