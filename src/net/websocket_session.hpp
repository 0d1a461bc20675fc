#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include "net/router.hpp"
#include "net/worker.hpp"

namespace rowcast::net {

// /v1/ws, from the upgrade to the close. Only connection.cpp includes this.
boost::asio::awaitable<void> run_websocket(worker& on, boost::beast::tcp_stream stream,
                                           boost::beast::http::request<boost::beast::http::string_body> upgrade,
                                           open_websocket what);

} // namespace rowcast::net
