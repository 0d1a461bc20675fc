#pragma once

#include <string_view>

#include "config/configuration.hpp"

namespace rowcast::net {

// Whether a user is offered the transport ("websocket" or "sse"; polling is everybody's). `user` is the token's `sub`, or the
// address of who has none: nobody knows the anonymous apart, and it is as stable as it gets. The same at every bridge and at
// all times; docs/operations.md says how it is computed, for those who want to know it elsewhere.
bool is_offered(const config::rollout& all, std::string_view transport, std::string_view user);

} // namespace rowcast::net
