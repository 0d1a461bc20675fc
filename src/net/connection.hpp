#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "net/worker.hpp"

namespace rowcast::net {

// Serves one client from its first request to its last, whatever it becomes. Beast stays behind this.
// It has its place among the connections as long as that takes.
boost::asio::awaitable<void> serve_connection(worker& on, boost::asio::ip::tcp::socket client, session_count::place place);

} // namespace rowcast::net
