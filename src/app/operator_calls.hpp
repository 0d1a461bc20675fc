#pragma once

#include <string>
#include <vector>

#include "config/configuration.hpp"
#include "config/problem.hpp"
#include "core/result.hpp"
#include "core/value.hpp"
#include "net/answer.hpp"
#include "policy/explanation.hpp"
#include "postgres/administration.hpp"

namespace rowcast::app {

// The bodies of POST /admin/revoke and /admin/rollout (inquiry.hpp has that of /admin/explain), and of the answers to these and
// to /admin/reload.
// {"user": "ann"}, {"token": "its jti"} or {"session": "its name"}; "for": "1h" and "reason" besides. Fails with bad_request
// or unknown_member.
core::result<postgres::revocation_wish> read_revocation(const core::value& body);

// {"websocket": 20, "sse": 100, "force_polling": false, "opt_in": ["ann"], "opt_out": []}; what is left out stays as it is.
// Fails with bad_request or unknown_member.
core::result<config::rollout> read_rollout(const core::value& body, config::rollout now);
net::answer rollout_stands(const config::rollout& now, bool as_configured);

net::answer revoke_done(const postgres::revocation_wish& wish, const std::string& until);
net::answer reload_done(const std::vector<std::string>& needs_restart);
net::answer reload_refused(const std::vector<config::problem>& problems); // problem+json with `problems`
net::answer explained(const policy::explanation& what);
net::answer not_let_in(const core::failure& why); // a user who is asked about

} // namespace rowcast::app
