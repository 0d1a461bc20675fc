#pragma once

#include <chrono>

namespace rowcast::postgres {

// The follower's life without its I/O: what to do next, given what has just happened. Whatever goes wrong leads back to
// a new connection, which listens first and reads second.
class follower_life {
public:
    enum class action { connect, prepare, read, wait, back_off, end };
    enum class event {
        done,   // the last action did what it should
        failed, // it did not; the connection is to be thrown away
        stopped,
    };

    // The first action is `connect`.
    action current() const { return action_; }

    // `chance` in [0, 1): full jitter, so that the bridges of a restarted server do not come back all at once
    // (AWS Architecture Blog, "Exponential Backoff And Jitter").
    action next(event happened, double chance);

    // How long to back off.
    std::chrono::milliseconds delay() const { return delay_; }

private:
    action action_ = action::connect;
    std::chrono::milliseconds delay_{0};
    unsigned failures_ = 0; // since the last successful read
};

} // namespace rowcast::postgres
