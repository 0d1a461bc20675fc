#pragma once

#include <chrono>
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
#include "observe/observation.hpp"
#include "postgres/connection_options.hpp"
#include "postgres/event.hpp"
#include "postgres/log_identity.hpp"
#include "postgres/row_reader.hpp"

namespace rowcast::app {

// Reads initial rows: a few threads with their connections, and a queue before them. What a client does not take at once
// is kept for it, up to a bound for each and for all of them together; beyond that its reading waits for it, with its
// transaction, until a time is over; sooner where others wait for their turn.
class row_readings {
public:
    struct limits {
        std::size_t concurrent = 4;
        std::size_t queue = 100;
        std::chrono::milliseconds wait = std::chrono::seconds(10); // in the queue
        std::chrono::milliseconds timeout = std::chrono::seconds(60);
        std::size_t rows = 100'000; // a reading
        // How long a client may hold up its reading while others wait for their turn.
        std::chrono::milliseconds patience = std::chrono::seconds(5);
    };

    row_readings(postgres::connection_options bridge, postgres::connection_options reader, limits most,
                 observe::sink tell);
    ~row_readings();
    row_readings(const row_readings&) = delete;

    // The log that cursors now belong to; until there is one, everybody waits. Any thread.
    void expect(const postgres::log_identity& identity, std::shared_ptr<const core::cursor_codec> codec);

    // `post` runs what it is given on the thread of whoever reads; there the pages come.
    using post_back = std::function<void(std::function<void()>)>;
    std::unique_ptr<hub::row_reading> begin(hub::row_request wanted, post_back post);

    // Ends the threads; no handler is called afterwards, but those that were posted already.
    void stop();

private:
    using clock = std::chrono::steady_clock;
    using lock = std::unique_lock<std::mutex>;
    struct reading;
    class handle;
    using reading_ptr = std::shared_ptr<reading>;

    void run();
    void watch_queue();
    void serve(postgres::row_reader& reader, reading& of);
    core::result<void> read(postgres::row_reader& reader, reading& of);
    core::result<void> read_view(postgres::row_reader& reader, reading& of, std::size_t view);
    core::result<void> give(reading& of, hub::row_reading::page page);
    void fail(reading& of, core::failure why);
    void answer(reading& to);
    void leave(reading& gone);
    void say_how_many();

    const postgres::connection_options bridge_;
    const postgres::connection_options reader_;
    const limits most_;
    const observe::sink tell_;
    postgres::event stop_;

    std::mutex mutex_; // of what follows, and of each reading's shared part
    std::condition_variable changed_;
    std::deque<reading_ptr> waiting_;
    std::size_t reading_ = 0; // threads that are at it
    std::size_t held_ = 0;    // bytes that clients have not taken yet
    std::shared_ptr<const postgres::log_identity> identity_;
    std::shared_ptr<const core::cursor_codec> codec_;
    bool stopped_ = false;
    std::vector<std::thread> threads_;
};

} // namespace rowcast::app
