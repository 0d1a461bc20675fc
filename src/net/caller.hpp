#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.hpp"
#include "hub/feed.hpp"
#include "net/moment.hpp"
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

// Whether a session may begin, or go on.
core::result<void> admit(const policy::identity& who, std::string_view session, const services& with);

// Whether the token of an open session still holds. Fails with token_expired.
core::result<void> check_expiry(const policy::identity& who, moment now);

// What the wish becomes for this user: authorised, ready to be subscribed; or the sets that must be loaded first.
using missing_sets = std::vector<policy::set_call>;
using authorization = std::variant<hub::feed::request, core::failure, missing_sets>;
authorization authorize(const protocol::wish& wanted, const policy::identity& who, const services& with);

// Whether who was authorized for a view with those rights still is. Where it cannot be known now, they are; but a set
// that has not been loaded is none of those that the view was made with, which are kept as long as it is.
bool still_has(std::string_view rights, const authorization& now);

} // namespace rowcast::net
