#pragma once

#include <chrono>

namespace rowcast::net {

// How long a client may take. They are no part of the configuration: nobody needs others, but tests.
struct time_limits {
    using time = std::chrono::milliseconds;

    time proxy_header = std::chrono::seconds(5);        // of the PROXY protocol
    time tls_handshake = std::chrono::seconds(10);
    time idle = std::chrono::seconds(75);               // between two requests
    time request = std::chrono::seconds(10);            // from its first byte to its last
    time answer_piece = std::chrono::seconds(30);       // for 64 KB of an answer
    time websocket_handshake = std::chrono::seconds(5); // at its beginning; at its end twice that
    time authentication = std::chrono::seconds(10);     // until the `auth` message
};

} // namespace rowcast::net
