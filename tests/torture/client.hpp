#pragma once

#include "torture/account.hpp"
#include "torture/dice.hpp"
#include "torture/replica.hpp"
#include "torture/schema.hpp"
#include "torture/world.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rowcast::torture {

enum class transport { websocket, sse, polling };

struct client_options {
    std::string name;
    user who;
    unsigned variant = 0;                 // of the views
    std::vector<transport> transports;    // another one at each reconnect
    bool whole_frames = false;            // keeps nothing of an unfinished transaction over a reconnect
    bool wanders = false;                 // another bridge at each reconnect
    int receive_buffer = 0;               // little: to stall soon means to fall behind
    std::chrono::milliseconds absence{0}; // longer than retention; 0: never
    std::string token = {};
    // For a trial of the test itself: "loses" or "doubles" an event now and then, which must be found.
    std::string mutation = {};
};

// One client with its replicas, in a thread of its own: connects, drops, stalls, lies, changes bridges and transports, and
// in the end, when nobody misbehaves any more, catches up.
class client {
public:
    client(const world& in, account& to, std::vector<std::uint16_t> bridges, dice chance, client_options options);

    // Until the end of the run, or until it holds everything up to the message on channel `end` that came after the writing.
    void run();

    const std::string& name() const { return options_.name; }

    bool done() const { return done_; }

    // What of its rows is not as PostgreSQL has them now, and which publishers' last numbers it has not. Once done.
    std::vector<std::string> differences() const;

private:
    using clock = std::chrono::steady_clock;
    using replicas = std::map<std::string, replica>;

    void live_once();
    void idle();
    void over_websocket();
    void over_sse();
    void over_polling();
    void lie();

    // The one cursor of everything that is held, where there is one.
    std::optional<std::string> common_cursor() const;
    bool cursors_differ() const;
    void forget_all(const std::optional<std::string>& cursor);
    void read_missing(const std::vector<std::string>& of);
    void read_missing();
    // All subscriptions, for a URL.
    std::string query() const;

    void receive(replica& by, nlohmann::json event);
    void advance(replica& which, const std::string& cursor, bool more);
    // Does not read for a while, once in so many times.
    void stall(unsigned times);
    void check_end();
    std::chrono::milliseconds left() const;
    void note(const std::string& what);
    [[noreturn]] void complain(const std::string& what) const;

    friend class websocket_talk;

    const world& in_;
    account& to_;
    std::vector<std::uint16_t> bridges_;
    dice random_;
    client_options options_;
    std::vector<view> views_;
    replicas replicas_;
    std::optional<replicas> saved_;
    transport by_ = transport::websocket;
    std::uint16_t port_ = 0;
    clock::time_point until_; // the end of this connection
    std::deque<std::string> trace_;
    std::atomic<bool> done_ = false;
};

} // namespace rowcast::torture
