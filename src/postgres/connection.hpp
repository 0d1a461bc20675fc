#pragma once

#include "postgres/connection_options.hpp"
#include "postgres/database_error.hpp"
#include "postgres/event.hpp"
#include "postgres/rows.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct pg_conn;

namespace rowcast::postgres {

struct notification {
    std::string channel;
    std::string payload;
    int backend = 0; // who sent it
};

// One direct session of a PostgreSQL server, 13 or later. Used by one thread at a time, whose calls block, each for a
// bounded time that this side measures: a server that hangs is `connection_lost`, as is one that went away. After that
// only the destructor is left. Never reconnects by itself: what happened meanwhile would go unseen.
//
// For what runs as long as the bridge does: the follower, the log readers, maintenance. They need non-blocking calls,
// whose time this side bounds, and rows one by one, which bounds memory: libpq has both, libpqxx 6 neither. What a
// person asks for (administration.hpp) runs on libpqxx (session.hpp).
class connection {
public:
    // Throws database_error or connection_lost; `interrupted` as soon as `stop` is set, here and in every other call.
    // `stop` may be null and must outlive the connection. (A host name is looked up by the system's resolver, whose own
    // time limit holds.)
    explicit connection(const connection_options& options, const event* stop = nullptr);
    ~connection();
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    // One statement. Takes the whole answer into memory: for answers that are known to be small.
    rows execute(const std::string& sql, const std::vector<parameter>& parameters = {});
    void prepare(const std::string& name, const std::string& sql);
    rows execute_prepared(const std::string& name, const std::vector<parameter>& parameters);

    // Several statements, of which the last one's answer is returned; the time limit holds for all of them together.
    rows run_script(const std::string& sql);

    // One statement whose rows come one by one: call `next_row` until it returns nothing, then the next statement.
    // However many there are, only those are in memory that the caller keeps. The time limit holds for each.
    void begin(const std::string& sql, const std::vector<parameter>& parameters = {});
    void begin_prepared(const std::string& name, const std::vector<parameter>& parameters);
    std::optional<rows> next_row();
    void skip_rows(); // the rest of them

    void listen(const std::string& channel);
    // What has arrived so far; takes what the socket holds, does not wait.
    std::vector<notification> take_notifications();
    // Returns when notifications are there, when `wake` is set (it is cleared), or when the time is over; throws
    // connection_lost where the server closes the connection.
    void wait(std::chrono::milliseconds at_most, event& wake);

    // Warnings and notices since the last call; of more than a hundred the first hundred.
    std::vector<std::string> take_notices();

    std::string quote_name(const std::string& identifier) const;

    int server_version() const; // 150018
    std::string server_version_text() const;
    int backend() const; // process id of the server's end
    bool pooled() const; // something between us and the server gave another process id
    std::string user() const;
    std::string place() const; // "127.0.0.1:5432/shop as user bridge"

private:
    using clock = std::chrono::steady_clock;

    void open(const connection_options& options);
    void set_up(const connection_options& options);
    // Waits for the socket; false when the time is over.
    bool await(short events, clock::time_point until, const event* wake = nullptr);
    void send(int accepted, bool one_by_one);
    pg_result* any_result();  // null at the end of a command
    pg_result* next_result(); // the same; throws where it is an error
    rows collect();
    [[noreturn]] void lost(const std::string& why);
    [[noreturn]] void refused(pg_result* result);

    clock::time_point deadline() const { return clock::now() + limit_; }

    pg_conn* pg_ = nullptr;
    const event* stop_;
    std::chrono::milliseconds limit_;
    int backend_ = 0;
    bool busy_ = false; // between `begin` and the last row
    std::vector<std::string> notices_;
};

} // namespace rowcast::postgres
