#pragma once

#include "support/eventually.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rowcast::support {

/// Thousands of WebSocket clients of one bridge: raw sockets and one epoll, hand-written frames, so that the crowd
/// costs less than what it is a test of. Each has one subscription, `s`, and resumes it with its last cursor. One thread.
class crowd {
public:
    struct client {
        using time = std::chrono::steady_clock::time_point;
        std::string wish;   // members of its `subscribe` but `type`, `id` and `after`: `"table":"public.t"`; empty: it subscribes to nothing
        bool reads = true;  // else it takes nothing once it is subscribed
        std::size_t subscribed = 0; // how often
        std::string status;         // of the last `subscribed`
        std::string cursor;
        std::size_t messages = 0;   // `changes`
        std::size_t frames = 0;     // all of them
        bool more = false;          // the last `changes` goes on
        std::vector<std::uint64_t> keys; // of the rows that it got, their "id", in order
        bool connected = false;
        std::optional<time> comes_back; // when it does as a `goodbye` has told it; `run` sees to it
        bool refused = false; // ended before the handshake, by an answer that is not 101, or since there are too many
        std::string answer;   // the reason

        int socket = -1;
        int receive_buffer = 0; // SO_RCVBUF; 0: the system's
        bool upgraded = false;
        std::string in;
    };

    explicit crowd(std::uint16_t port);
    ~crowd();
    crowd(const crowd&) = delete;

    std::vector<client> clients;

    /// Called for every `changes`, `subscribed` ... message, after it was noted; may be empty.
    std::function<void(client&, std::string_view message)> heard;

    /// Begins to connect those who are not connected; `run` goes on with it.
    void connect();
    void connect(client& one);
    void disconnect(client& one);
    void let_read(client& one); // from now on

    /// Runs until `holds`, which is asked after every round. Returns whether it does in time.
    bool run(const std::function<bool()>& holds, std::chrono::milliseconds within);

    bool all(const std::function<bool(const client&)>& holds) const;

private:
    void event(std::size_t number, std::uint32_t what);
    void take(std::size_t number);
    void parse(client& one);
    void message(client& one, std::string_view text);
    void send(client& one, std::string_view bytes);
    void watch(std::size_t number, bool reading);

    std::uint16_t port_;
    int epoll_;
    std::size_t connecting_ = 0; // connected, not upgraded yet: a listen queue is finite
    std::size_t next_ = 0;
};

}
