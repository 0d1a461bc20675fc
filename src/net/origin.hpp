#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/answer.hpp"
#include "net/request.hpp"

namespace rowcast::net {

// Whether pages of the request's origin may talk to us: pages that we serve ourselves, and those of `server.origins`.
// A request without an origin is no page's of another site.
bool may_talk(const request& from, const std::vector<std::string>& origins);

// What a browser wants to hear before it lets a page of another origin read the answer (Fetch standard, CORS).
void add_cors_headers(answer& to, const request& from);
answer preflight(const request& from);

} // namespace rowcast::net
