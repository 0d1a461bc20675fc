#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <chrono>

#include "net/channel.hpp"

namespace rowcast::net {

// Answers a request for a WebSocket (RFC 6455, 4.2). Returns whether it is one now.
boost::asio::awaitable<bool> accept_websocket(channel& on, const boost::beast::http::request<boost::beast::http::string_body>& asked,
                                              std::chrono::milliseconds within);

} // namespace rowcast::net
