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

// Whether a page that has this Host can only be one that we serve: an address, or a name that nobody outside can have lead
// here (this machine's, `localhost`, one without a dot). Else it may be a page of somebody whose name leads here since a
// moment ago (DNS rebinding). `others` are ours too, because somebody says so; in small letters.
bool is_own_name(std::string_view host, const std::vector<std::string>& others);

// Whether a browser says that a page of another site asks (Sec-Fetch-Site, W3C Fetch Metadata).
bool is_foreign(const request& from);

// What a browser wants to hear before it lets a page of another origin read the answer (Fetch standard, CORS).
void add_cors_headers(answer& to, const request& from);
answer preflight(const request& from);

} // namespace rowcast::net
