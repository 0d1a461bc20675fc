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
    boost::beast::http::request<boost::beast::http::string_body> request;
    open_websocket what;
};

// /v1/ws, from the upgrade to the close. Only connection.cpp includes this.
boost::asio::awaitable<void> run_websocket(worker& on, std::unique_ptr<upgrade> from);

} // namespace rowcast::net
