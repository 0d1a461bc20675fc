#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/cursor.hpp"
#include "hub/gateway.hpp"
#include "hub/view.hpp"
#include "observe/observation.hpp"
#include "postgres/connection.hpp"
#include "postgres/event.hpp"
#include "postgres/log_identity.hpp"
#include "postgres/log_reader.hpp"

namespace rowcast::app {

// Reads the log for those whom the ring no longer reaches, in passes: a few threads with a connection each, whatever
// the number of readings. A pass serves all who wait at its beginning and are about as far behind: it starts at the
// oldest of their positions, and each gets the pages that may hold something for it. Who comes later waits for the next pass, and
// passes begin at intervals, so that a thousand clients who come back at once cost a few. A client that does not want
// the next page soon leaves its pass and is served by another from where it is: pages are not kept for anybody.
class log_readings {
public:
    log_readings(postgres::connection_options connect_with, unsigned threads, observe::sink tell);
    ~log_readings();
    log_readings(const log_readings&) = delete;

    // The log that cursors now belong to, before the first reading. Any thread.
    // `codec` seals its cursors.
    void expect(const postgres::log_identity& identity, std::shared_ptr<const core::cursor_codec> codec);

    // `post` runs what it is given on the thread of whoever reads; there the pages come.
    using post_back = std::function<void(std::function<void()>)>;
    // `of`: seals cursors of the log that `from` belongs to. Where that is not the expected one any more: cursor_foreign.
    std::unique_ptr<hub::log_reading> begin(core::cursor from, const std::shared_ptr<const core::cursor_codec>& of,
                                            const std::vector<hub::view_spec>& views, post_back post);

    // Ends the threads; no handler is called afterwards, but those that were posted already.
    void stop();

private:
    using clock = std::chrono::steady_clock;
    using lock = std::unique_lock<std::mutex>;
    struct reading;
    struct pass;
    class handle;
    using reading_ptr = std::shared_ptr<reading>;

    void run();
    std::unique_ptr<pass> gather();
    void begin_pass(postgres::log_reader& reader, pass& of);
    void serve(postgres::log_reader& reader, pass& of);
    bool give(lock& held, pass& of, const core::batch_ptr& page);
    bool end(lock& held, pass& of);
    bool fail(lock& held, pass& of, const core::failure& why, std::optional<core::transaction_id> expired_through);
    void await_wishes(lock& held, pass& of, const std::vector<std::size_t>& whose);
    void answer(reading& to, core::result<hub::log_reading::page> page);
    void leave(pass& of, std::size_t member);

    const postgres::connection_options connect_with_;
    const observe::sink tell_;
    postgres::event stop_;

    std::mutex mutex_; // of what follows, and of each reading's and pass's shared part
    std::condition_variable changed_;
    std::deque<reading_ptr> waiting_; // those who want a page and are in no pass
    std::shared_ptr<const postgres::log_identity> identity_;
    std::shared_ptr<const core::cursor_codec> codec_;
    core::transaction_id newest_ = 0; // of all positions that were seen
    clock::time_point next_pass_{};   // not before
    bool stopped_ = false;
    std::vector<std::thread> threads_;
};

} // namespace rowcast::app
