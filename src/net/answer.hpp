#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"

namespace rowcast::net {

// An HTTP answer as the routes make it.
struct answer {
    unsigned status = 200;
    std::string content_type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers; // besides those that every answer has
    std::string_view code = {}; // of a failure
    std::string subject = {};   // whose request was refused, where it is known: for the log
};

// The problem+json answer for a failure; with WWW-Authenticate (RFC 6750) where a token would help.
answer refuse(const core::failure& why);

struct framing {
    bool keep_alive = true;
    bool head_only = false; // the answer to HEAD
    bool streamed = false;  // chunks follow (HTTP/1.1), or everything up to the end of the connection (1.0)
    bool http_1_1 = true;
    std::chrono::seconds hsts{0}; // for so long browsers shall come by TLS only (RFC 6797); zero: nothing is said
};

// The bytes of the answer, with what every answer has: the date, its length, and the headers that keep browsers from
// guessing types, framing pages, telling URLs (they may bear tokens) and caching.
std::string to_http(const answer& what, const framing& how);

// One chunk of a streamed answer (RFC 9112 section 7.1); an empty text ends the stream.
std::string chunk(std::string_view text);

} // namespace rowcast::net
