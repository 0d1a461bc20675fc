#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/configuration.hpp"
#include "hub/feed.hpp"
#include "net/answer.hpp"
#include "net/request.hpp"
#include "net/services.hpp"
#include "policy/identity.hpp"
#include "protocol/url_request.hpp"

namespace rowcast::net {

// What a request leads to: an answer, or one of the conversations that take time. All checks that need no waiting have
// been made: origin, method, token, parameters, permissions.
struct open_websocket {
    std::optional<policy::identity> who; // nothing: an `auth` message must come first
    bool has_token = false;
};
struct subscription_request {
    policy::identity who;
    std::string user; // as the rollout knows them
    origin_address from;
    protocol::url_request asked;
    std::vector<hub::feed::request> wanted;
};
struct open_stream : subscription_request {}; // /v1/sse
struct open_poll : subscription_request {};   // /v1/changes
struct open_rows : subscription_request {};   // /v1/rows

// The ids of those that the caller could have then, and has no right to any more.
std::vector<std::string> lost(const subscription_request& of, const services& with);

struct load_first { // then ask again
    std::vector<policy::set_call> sets;
};
struct open_call { // POST or GET /admin/NAME
    admin_action action;
    admin_request asked;
};
using route = std::variant<answer, open_websocket, open_stream, open_poll, open_rows, open_call, load_first>;

// /healthz and /readyz, which stand on both addresses; nothing for another path.
std::optional<answer> find_state(std::string_view path, const services& with);

// Where a request goes. Pure, but for the services that it asks; any thread.
class router {
public:
    router(const config::server& settings, const config::rollout& offered, const services& with)
        : settings_(settings), offered_(offered), with_(with)
    {
    }

    route find(const request& asked) const;

private:
    route websocket(const request& asked) const;
    route subscribe(const request& asked, protocol::resource of) const;
    route subscribe(const request& asked, protocol::resource of, policy::identity who) const;
    answer session(const request& asked) const;

    const config::server& settings_;
    const config::rollout& offered_;
    const services& with_;
};

} // namespace rowcast::net
