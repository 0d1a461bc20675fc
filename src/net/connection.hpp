#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "net/worker.hpp"

namespace rowcast::net {

// Serves one client from its first request to its last, whatever it becomes. Beast stays behind this.
boost::asio::awaitable<void> serve_connection(worker& on, boost::asio::ip::tcp::socket client);

} // namespace rowcast::net
