#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/batch.hpp"
#include "core/cursor.hpp"
#include "hub/chapter.hpp"
#include "hub/view.hpp"

namespace rowcast::hub {

using shard_id = unsigned;

// What a session that resumes may hold of the ring at a time, in bytes: many may be slow at once.
constexpr std::size_t most_replayed = 256 * 1024;

// Some subscriptions of one session that move together, to be attached to the live stream.
struct attach_request {
    std::vector<view_spec> views;
    std::optional<std::string> after; // a cursor; nothing: from now on
};

struct attach_reply {
    enum class outcome {
        live,      // attached from now on
        resumed,   // attached; `replay` is what lies between the cursor and now
        replaying, // not attached: `replay` is much of it, or lacks the end; take of that what concerns the views and ask again
        behind,    // not attached: the ring no longer reaches the cursor, read the log first
        reset,     // the cursor cannot be used, for `reason`; attached from now on
        superseded, // not attached: a view depends on a set that has another value by now
    } what = outcome::live;
    core::error_code reason = core::error_code::internal;
    std::vector<view_id> views;         // in the order of the request; empty where not attached
    std::string cursor;                 // the hub's, as of now
    std::optional<core::cursor> opened; // the request's cursor, where it could be read
    std::vector<chapter_ptr> replay;
    std::uint32_t first = 0; // page of the replay
    std::shared_ptr<const core::cursor_codec> codec; // seals the positions of the replay
};

// One reading of the log from a cursor to now. What holds nothing for it may be left out. A page may begin earlier than the reading: others
// share it. The reader holds a few pages ready and no more; it frees itself (and
// its connection) where the client is slow, and goes on from the last page's position.
class log_reading {
public:
    struct page {
        chapter_ptr what;        // one page; null: the end is reached, attach with `cursor` next
        core::cursor position;   // where the reading stands: before this page, or at the end
        std::string cursor = {}; // of the end, sealed
    };
    // `failure`: cursor_expired, cursor_foreign, unavailable
    using handler = std::function<void(core::result<page>)>;

    virtual ~log_reading() = default; // ends the reading; no handler is called afterwards
    // Asks for the next page; one request at a time. The handler is called on the shard's thread, and may end the
    // reading from within.
    virtual void next(handler done) = 0;
};

// The rows that are there already: of each view what it shows, as of one moment for all of them. The reader holds a
// little ready and no more; a client that does not take it holds up nobody else for long.
class row_reading {
public:
    struct page {
        std::size_t view = 0; // of those that were asked for, in their order; each has at least one page
        std::string rows;     // JSON objects with commas between them
        std::size_t count = 0;
        bool more = false;    // the next page is of the same view; else that was its last
        bool cut = false;     // the limit left rows of this view out
        std::string cursor;   // of the moment: what comes after it is not in the rows
    };
    // `failure`: too_many_readings, rows_timeout, too_many_rows, unavailable, shutdown; nothing follows it
    using handler = std::function<void(core::result<page>)>;

    virtual ~row_reading() = default; // ends the reading; no handler is called afterwards
    // Asks for the next page, not beyond the last view's last; one request at a time. As log_reading::next.
    virtual void next(handler done) = 0;
};

struct row_request {
    std::vector<std::shared_ptr<const policy::visibility>> views; // at least one
    std::optional<std::size_t> limit; // of rows a view, the first ones by key; nothing: all, as far as the bridge reads
};

// The hub and the log as a shard sees them: what net needs and app provides. Called on the shard's thread; replies
// come on the same thread, never from within the call, in order with the publications: an attached view gets every publication that the shard
// receives after the reply, and none before.
class gateway {
public:
    virtual ~gateway() = default;
    virtual void attach(shard_id shard, attach_request request, std::function<void(attach_reply)> reply) = 0;
    virtual void detach(shard_id shard, std::vector<view_id> views) = 0;
    // `of`: seals cursors of the log that `from` belongs to; where that is no longer the hub's log, the first page fails.
    virtual std::unique_ptr<log_reading> read_log(shard_id shard, core::cursor from, std::shared_ptr<const core::cursor_codec> of,
                                                  std::vector<view_spec> views) = 0;
    virtual std::unique_ptr<row_reading> read_rows(shard_id shard, row_request wanted) = 0;
};

} // namespace rowcast::hub
