#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
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

// Reads the log for those whom the ring no longer reaches: a few threads with a connection each, whatever the number of
// readings. A thread stays with one reading as long as its client keeps up, so that a large catch-up is one pass over
// the log; a client that lets it wait gives its place to the next and is read for again from where it is.
class log_readings {
public:
    log_readings(postgres::connection_options connect_with, unsigned threads, observe::sink tell);
    ~log_readings();
    log_readings(const log_readings&) = delete;

    // The log that cursors now belong to, before the first reading; readings of another end with cursor_foreign. Any thread.
    void expect(const postgres::log_identity& identity);

    // `post` runs what it is given on the thread of whoever reads; there the pages come.
    using post_back = std::function<void(std::function<void()>)>;
    std::unique_ptr<hub::log_reading> begin(core::cursor from, const std::vector<hub::view_spec>& views, post_back post);

    // Ends the threads; no handler is called afterwards, but those that were posted already.
    void stop();

private:
    struct reading;
    class handle;
    using reading_ptr = std::shared_ptr<reading>;

    void run();
    void serve(postgres::log_reader& reader, const reading_ptr& chosen);
    void answer(const reading_ptr& to, core::result<hub::log_reading::page> page);

    const postgres::connection_options connect_with_;
    const observe::sink tell_;
    postgres::event stop_;

    std::mutex mutex_; // of what follows, and of each reading's shared part
    std::condition_variable changed_;
    std::deque<reading_ptr> waiting_; // those who want a page and have no thread
    std::shared_ptr<const postgres::log_identity> identity_;
    bool stopped_ = false;
    std::vector<std::thread> threads_;
};

} // namespace rowcast::app
