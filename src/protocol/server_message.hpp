#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace rowcast::protocol {

// The words of rowcast.v1 (DESIGN "Wire"), each a whole JSON text. `id` is the subscription's where it says so.

std::string welcome(std::string_view session, std::string_view cursor, std::chrono::milliseconds heartbeat);
std::string authenticated(std::optional<std::int64_t> expires);
std::string expiring(std::int64_t in_seconds);
std::string subscribed(std::string_view id, std::string_view status, std::optional<core::error_code> reason,
                       std::string_view cursor);
// `rows`: JSON objects with commas between them. `cursor` where it is not empty.
std::string rows(std::string_view id, std::string_view rows, bool more, std::string_view cursor);
std::string cursor_moved(std::string_view cursor);
std::string resync(std::string_view id, std::string_view reason);
std::string unsubscribed(std::string_view id);
std::string pong(std::string_view id_json);
std::string goodbye(std::string_view reason, std::chrono::milliseconds reconnect);
std::string error(std::string_view id, const core::failure& why);

// One event of a `changes` message: whose it is, and the text that everyone shares (event_text).
struct addressed_event {
    std::span<const std::string_view> subscriptions;
    std::string_view text;
};
void append_event(std::string& out, const addressed_event& event);

// `changes`, event by event. `id` is that of the one subscription which is catching up; empty: all that are live.
class changes_message {
public:
    // `room`: bytes of the events that follow, about.
    changes_message(std::string_view id, std::string_view cursor, std::size_t room);
    void add(const addressed_event& event);
    // `live`: the one that was catching up no longer is.
    std::string finish(bool more, bool live = false);

private:
    std::string out_;
    bool first_ = true;
};

} // namespace rowcast::protocol
