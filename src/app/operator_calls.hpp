#pragma once

#include <string>

#include "config/configuration.hpp"
#include "core/result.hpp"
#include "core/value.hpp"
#include "net/session_listing.hpp"
#include "postgres/administration.hpp"

namespace rowcast::app {

// What operators ask for at /admin/NAME: the bodies of POST, the parameters of GET (inquiry.hpp has what /admin/explain takes).
// All fail with bad_request or unknown_member.

core::result<void> read_nothing(const core::value& given);

// {"user": "ann"}, {"token": "its jti"} or {"session": "its name"}; "for": "1h" and "reason" besides.
core::result<postgres::revocation_wish> read_revocation(const core::value& body);

// {"websocket": 20, "sse": 100, "force_polling": false, "opt_in": ["ann"], "opt_out": []}; what is left out stays as it is.
core::result<config::rollout> read_rollout(const core::value& body, config::rollout now);

// ?search=ann&transport=sse&catching_up=true&limit=100&after=NEXT, where NEXT is what next_page made.
core::result<net::session_search> read_search(const core::value& parameters);
std::string next_page(const net::session_description& last);

// {"session": "its name"} or {"user": "ann"}
core::result<net::session_choice> read_choice(const core::value& body);

// {"table": "public.orders", "columns": ["id"], "except": ["notes"], "notify": false}
core::result<postgres::watch_options> read_watch(const core::value& body);
core::result<std::string> read_unwatch(const core::value& body); // of these the table alone

} // namespace rowcast::app
