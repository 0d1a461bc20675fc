#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "net/line.hpp"
#include "net/router.hpp"
#include "net/worker.hpp"

namespace rowcast::net {

// A client that has asked for a WebSocket and been told that it has one.
struct upgrade {
    std::string ahead; // what they have sent already
    line client;
    session_count::place place; // among the connections
    open_websocket what;
    origin_address from;
    core::result<session_count::place> session; // its place among them; without one it is told so
    std::optional<std::chrono::milliseconds> goodbye; // the server stops
};

// /v1/ws: the session goes on by itself. Only connection.cpp includes this.
void begin_websocket(worker& on, upgrade from);

} // namespace rowcast::net
