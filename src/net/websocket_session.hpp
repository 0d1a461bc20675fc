#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <memory>

#include "net/channel.hpp"
#include "net/router.hpp"
#include "net/worker.hpp"

namespace rowcast::net {

// A client that asks for a WebSocket, with what its HTTP connection leaves behind.
struct upgrade {
    std::unique_ptr<channel> client;
    session_count::place place; // among the connections
    boost::beast::http::request<boost::beast::http::string_body> request;
    open_websocket what;
    origin_address from;
    core::result<session_count::place> session; // its place among them; without one it is told so
};

// /v1/ws: answers the upgrade; the session that begins with it goes on by itself. Only connection.cpp includes this.
boost::asio::awaitable<void> run_websocket(worker& on, std::unique_ptr<upgrade> from);

} // namespace rowcast::net
