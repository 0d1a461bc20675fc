#pragma once

#include <optional>
#include <string>

#include "core/result.hpp"
#include "hub/feed.hpp"
#include "net/request.hpp"
#include "net/services.hpp"
#include "policy/identity.hpp"
#include "protocol/wish.hpp"

namespace rowcast::net {

// The token that the request bears: `Authorization: Bearer`, or else `access_token` in the query. Fails with
// token_invalid at an Authorization of another kind, bad_request where the query cannot be read or both are given.
core::result<std::optional<std::string>> find_token(const request& from);

// Who asks.
core::result<policy::identity> identify(const request& from, const services& with);

// What the wish becomes for this user: authorised, ready to be subscribed.
core::result<hub::feed::request> authorize(const protocol::wish& wanted, const policy::identity& who, const permissions& now);

} // namespace rowcast::net
