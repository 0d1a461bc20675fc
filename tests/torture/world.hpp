#pragma once

#include "core/cursor.hpp"
#include "support/postgres_cluster.hpp"
#include "torture/dice.hpp"

#include <pqxx/pqxx>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace rowcast::torture {

// A connection that came back by itself would go on in the middle of a transaction. (libpqxx 7 never does.)
void never_reconnect(pqxx::connection& connection);

// Without its mark of the client's rights.
std::string_view unmarked(std::string_view cursor);

// The database of a run: a primary and its standby, which may take over. All but `url`, `connect`, `timeline_of`, `open` and
// the switches belong to the thread that made it.
class world {
public:
    world();

    support::postgres_cluster& primary() { return *primary_; }

    // Whether there is a standby that follows.
    bool has_standby() const;

    // Kills the primary, whose last `lag` has not reached the standby, and promotes that. Without a standby afterwards.
    void fail_over(std::chrono::milliseconds lag);
    // Takes seconds.
    void make_standby();
    // Restarts until it accepts.
    void start_again();

    // Of the primary of now, from any thread: a socket, as superuser.
    std::string url() const;
    pqxx::connection connect() const;

    // Which timeline a cursor is of; nothing where it is of none that there was.
    std::optional<unsigned> timeline_of(const std::string& cursor) const;
    std::optional<core::cursor> open(unsigned timeline, const std::string& cursor) const;

    unsigned timeline() const { return timeline_; }

    // What tells the threads to go on.
    std::atomic<bool> writing = true;
    std::atomic<bool> misbehaving = true;
    std::atomic<bool> over = false;

    // Sleeps, but not beyond the end of the run.
    void sleep(std::chrono::milliseconds time) const;

private:
    void settle();

    std::unique_ptr<support::postgres_cluster> primary_;
    std::unique_ptr<support::postgres_cluster> standby_;
    mutable std::mutex mutex_;
    std::string url_;
    std::map<unsigned, core::cursor_codec> codecs_;
    std::atomic<unsigned> timeline_ = 0;
};

} // namespace rowcast::torture
