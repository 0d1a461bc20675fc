#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "config/configuration.hpp"
#include "hub/feed.hpp"
#include "net/answer.hpp"
#include "net/marked_cursor.hpp"
#include "net/router.hpp"
#include "net/site.hpp"

namespace rowcast::net {

// /v1/changes without its socket: gathers an answer for one request. One thread.
class poll {
public:
    using time = std::chrono::steady_clock::time_point;

    // `ready` is called when `step` may have an answer; it must not call back.
    poll(hub::shard& home, const site& shared, const config::server& settings, subscription_request what,
         std::function<void()> ready);

    std::optional<answer> open(time now);

    // The answer as soon as there is one. To be called when `ready` was, and at `due`.
    std::optional<answer> step(time now);
    time due() const { return deadline_; }
    const subscription_request& what() const { return what_; }
    hub::standing standing() const { return feed_.survey(); }

    // What the caller may see no longer ends with a resync; `ready` is called.
    void reconsider();

    // The refusal where the caller may not stay.
    std::optional<answer> check_admission() const;

    // Where the server stops: what there is, at once.
    answer cut_short();

private:
    std::optional<answer> take(hub::output& what);
    answer finish();
    bool is_full() const;

    hub::shard& home_;
    const site& shared_;
    subscription_request what_;
    cursor_mark mark_;
    hub::feed feed_;
    std::string events_;
    std::size_t count_ = 0;
    std::optional<std::chrono::system_clock::time_point> logged_; // the oldest of them
    std::string resyncs_;
    std::string cursor_;
    bool more_ = false;
    time deadline_{};
};

} // namespace rowcast::net
