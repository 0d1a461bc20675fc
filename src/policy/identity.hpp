#pragma once

#include "core/result.hpp"
#include "core/value.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rowcast::policy {

class set_value;

// Who a user is, from the token: nothing else decides what they see.
struct identity {
    std::string subject;                 // `sub`; empty for the anonymous
    std::vector<std::string> roles;      // {"anonymous"} without a token
    core::value claims;                  // all of the token's claims, an object
    std::optional<std::int64_t> expires; // seconds since the epoch
    std::int64_t grace = 0;              // seconds after that for which an open session goes on
    std::optional<std::int64_t> issued = {};
    std::string token_id = {};    // `jti`; empty: it has none
    std::uint64_t signed_by = 0;  // which of the configured keys (auth::authenticator); 0: there is no token

    // When an open session ends.
    std::optional<std::int64_t> ends() const { return expires ? std::optional(*expires + grace) : std::nullopt; }

    // What the sets of the configuration hold for them, by name, where it has been loaded (rules.hpp, `needed_sets`). A
    // condition on one that is not here is unknown.
    std::map<std::string, std::shared_ptr<const set_value>, std::less<>> sets = {};
};

// The claim at a dotted path (`resource.roles`), or null. A claim whose own name has dots in it
// (`https://example.com/roles`) is found too, and before what the path would reach inside.
const core::value* find_claim(const core::value& claims, std::string_view path);

// Who a token with these claims (an object) speaks for: its `sub`, and the roles that the claim at `roles_claim` names, one
// or a list; OAuth's `scope` is a list in a text. Fails with token_invalid where they are of another kind, or more than a thousand.
core::result<identity> identify(core::value claims, std::string_view roles_claim);

} // namespace rowcast::policy
