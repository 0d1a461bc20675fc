#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/value.hpp"
#include "hub/gateway.hpp"
#include "net/answer.hpp"
#include "observe/observation.hpp"
#include "policy/identity.hpp"
#include "policy/rules.hpp"
#include "policy/table.hpp"

namespace rowcast::net {

// Who may see what, at one moment. Immutable; replaced as a whole when the configuration or the database changes.
struct permissions {
    std::shared_ptr<const policy::rules> rules;
    policy::catalog_ptr tables;
};

struct page {
    std::string content_type;
    std::string body;
};

// A call of an operator at server.admin, whose token has been checked.
struct admin_request {
    core::value body; // an object; of a GET its parameters, which are texts
    std::string peer; // the caller's address
};
// Answers by `done`, once, from any thread; the caller waits for it for half a minute.
using admin_action = std::function<void(admin_request, std::function<void(answer)> done)>;

// What the server needs and app provides. Everything is called from any of the server's threads, must not block and
// must outlive the server; what is empty is answered with 404 (metrics, page) or counts as fine (not_ready, tell).
struct services {
    hub::gateway& hub;
    std::function<permissions()> permitted;
    // Without a token: the anonymous identity, or token_missing where the configuration wants one.
    std::function<core::result<policy::identity>(std::optional<std::string_view> token)> authenticate;
    // Whether a session may go on: its token, its user or itself may have been revoked. Empty: it may.
    std::function<core::result<void>(const policy::identity& who, std::string_view session)> admit;
    // What the rules' sets hold. `find_set` gives null where it has not been loaded. `load_sets` calls back on the
    // shard's thread, never from within the call; fails with `unavailable`. Empty functions: nothing can be loaded.
    std::function<policy::set_value_ptr(const policy::set_call&)> find_set = nullptr;
    using set_values = std::vector<policy::set_value_ptr>;
    std::function<void(hub::shard_id, std::vector<policy::set_call>, std::function<void(core::result<set_values>)>)> load_sets =
        nullptr;
    std::function<std::vector<std::string>()> not_ready; // why /readyz says 503; none: ready
    std::function<std::string()> metrics;                // Prometheus' text format
    std::map<std::string, admin_action, std::less<>> administer; // POST /admin/NAME
    std::map<std::string, admin_action, std::less<>> inspect = {}; // GET /admin/NAME
    std::function<std::optional<page>(std::string_view path)> find_admin_page = nullptr; // the page for operators and what it is made of
    std::function<std::optional<page>(std::string_view path)> find_page; // what else is served: `/` of the demo
    observe::sink tell;
};

} // namespace rowcast::net
