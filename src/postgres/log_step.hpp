#pragma once

#include "core/batch.hpp"
#include "core/cursor.hpp"
#include "core/result.hpp"
#include "observe/observation.hpp"
#include "postgres/connection.hpp"
#include "postgres/log_statement.hpp"
#include "postgres/wal.hpp"

#include <chrono>
#include <cstddef>
#include <optional>

namespace rowcast::postgres {

struct page_limits {
    std::size_t changes = 1000;
    std::size_t bytes = 1024 * 1024; // a page ends with the change that would pass it; one change alone may be larger
    std::chrono::milliseconds portal_held = std::chrono::seconds(30); // an open portal holds back vacuum
    // Whether there is probably more than a page: then through the portal from the first one on, since what the statement
    // finds out about all transactions is then found out once, not twice. A few round trips more where there is not.
    bool expects_many = false;
    std::chrono::microseconds flush_patience = postgres::flush_patience; // of `await_flush`
};

// What `log_step` needs prepared on its connection; once for each connection.
void prepare_log_statement(connection& on);

// One step of reading the log, page by page: from a position to the snapshot of now, or, from a position inside a
// step, the rest of that one. Only what is flushed is handed out. A step of one page is one round trip (usually); the
// rest of a larger one comes through a portal, so that memory stays bounded however much it is.
class log_step {
public:
    // All three must outlive it.
    log_step(connection& on, const log_filter& filter, const observe::sink& sink, core::cursor from,
             page_limits limits = {});

    // The next page; null after the complete one. Fails with cursor_expired, and with cursor_foreign
    // where the database has not come as far as the position: it was set back. What a connection throws, it throws too:
    // then go on with a new step from the last page's position.
    core::result<core::batch_ptr> next();

    // Lets the server go while nobody asks for pages; the next page opens the portal anew.
    void suspend();

    // Position after the pages so far.
    const core::cursor& position() const { return position_; }

    // How long the oldest transaction of the first page had been waiting to be read since its last change, by the database's clock.
    std::chrono::microseconds waited() const { return waited_; }

    // Whether what was read was not on disk before the step itself had it flushed.
    bool forced_flush() const { return forced_flush_; }

private:
    core::result<core::batch_ptr> first_page();
    core::result<core::batch_ptr> further_page();
    core::result<void> open_portal();
    core::batch_ptr fill();
    void forget_ahead();
    std::optional<core::change> next_change();
    std::optional<rows> next_row();

    connection& on_;
    const log_filter& filter_;
    const observe::sink& sink_;
    page_limits limits_;
    core::cursor position_;
    core::snapshot before_;
    core::snapshot target_;
    core::place last_;
    std::chrono::microseconds waited_{0};
    bool forced_flush_ = false;
    enum class state { new_, through_portal, done } state_ = state::new_;
    bool portal_ = false;
    bool fetching_ = false;
    std::size_t fetched_ = 0; // rows of the FETCH under way
    std::chrono::steady_clock::time_point portal_since_{};
    std::optional<core::change> ahead_; // read, but of the next page
};

} // namespace rowcast::postgres
