#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "net/worker.hpp"

namespace rowcast::net {

// Which of the server's two addresses a client came to.
enum class door { clients, admin };

// Serves one client from its first request to its last, whatever it becomes. Beast stays behind this.
// It has its place among the connections as long as that takes.
boost::asio::awaitable<void> serve_connection(worker& on, boost::asio::ip::tcp::socket client, session_count::place place, door through);

} // namespace rowcast::net
