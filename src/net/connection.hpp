#pragma once

#include <boost/asio/awaitable.hpp>

#include "net/client_socket.hpp"
#include "net/worker.hpp"

namespace rowcast::net {

// Through what a client comes in.
struct door {
    bool for_operators = false;
    bool tls = false;            // where there is a certificate
    bool proxy_protocol = false; // its header comes first
};

// Serves one client from its first request to its last, whatever it becomes. Beast stays behind this.
// It has its place among the connections as long as that takes.
boost::asio::awaitable<void> serve_connection(worker& on, client_socket client, session_count::place place, door through);

} // namespace rowcast::net
