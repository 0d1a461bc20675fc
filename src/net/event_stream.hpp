#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "config/configuration.hpp"
#include "hub/feed.hpp"
#include "net/marked_cursor.hpp"
#include "net/moment.hpp"
#include "net/router.hpp"
#include "net/session_count.hpp"
#include "net/site.hpp"

namespace rowcast::net {

// /v1/sse without its socket: what is to be written, in the form of Server-Sent Events (WHATWG HTML, "Server-sent
// events"). `id:` is the cursor; it stands on the last event of a batch and nowhere inside a transaction, so that a
// reconnect splits none. One thread.
class event_stream {
public:
    // `ready` is called when `next` has something, or `is_over` has become true; it must not call back.
    event_stream(hub::shard& home, const site& shared, const config::server& settings, session_count::place place,
                 subscription_request what, std::function<void()> ready);

    // `name`: what an operator may end it by.
    core::result<void> open(std::string name, moment now);

    void tick(moment now);
    std::chrono::steady_clock::time_point due(moment now) const;
    void reconsider();
    void check_admission();
    void say_goodbye(std::chrono::milliseconds reconnect);

    // The next text, whatever has gathered; nothing where there is nothing.
    std::optional<std::string> next();
    bool has_fallen_behind() { return feed_.has_fallen_behind(); }
    bool is_over() const { return over_; } // once `next` has nothing more, the stream ends
    const subscription_request& what() const { return what_; }
    hub::standing standing() const { return feed_.survey(); }

private:
    void word(const hub::changes& what);
    void word(const hub::subscribed& what);
    void word(const hub::rows& what);
    void word(const hub::resync& what);
    void word(const hub::refused& what);
    bool begins_with_rows() const;
    void fail(std::string_view id, const core::failure& why);
    void write(std::string_view event, std::string_view data, std::string_view id = {});
    void end();

    hub::shard& home_;
    const site& shared_;
    const config::server& settings_;
    session_count::place place_;
    std::string name_;
    subscription_request what_;
    cursor_mark mark_;
    std::function<void()> ready_;
    hub::feed feed_;
    std::string text_;
    bool announced_ = false;
    bool wrote_ = false; // since the last heartbeat
    bool over_ = false;
    std::chrono::steady_clock::time_point next_beat_{};
};

} // namespace rowcast::net
