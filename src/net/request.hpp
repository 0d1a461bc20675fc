#pragma once

#include <string>

#include "net/client_address.hpp"

namespace rowcast::net {

// What the routes need of an HTTP request: the parser (connection.cpp) has checked its form.
struct request {
    std::string method;
    std::string path;  // as it was sent
    std::string query; // without the ?
    std::string host;
    std::string origin;        // empty: not from a page of another origin, or not from a browser
    std::string fetch_site;    // Sec-Fetch-Site: which pages a browser asks for; empty: an old one, or none
    std::string authorization;
    std::string last_event_id;
    std::string asked_method;  // Access-Control-Request-Method
    std::string protocols;     // Sec-WebSocket-Protocol
    bool upgrade = false;      // to WebSocket
    std::string websocket_key; // Sec-WebSocket-Key
    std::string content_type;
    std::string body;
    origin_address from;       // the client's
};

} // namespace rowcast::net
