#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/configuration.hpp"
#include "core/result.hpp"
#include "core/value.hpp"
#include "policy/identity.hpp"

namespace rowcast::auth {

// How far the clocks of the issuer and of this machine may be apart, for `exp` and `nbf`.
inline constexpr std::int64_t leeway_seconds = 30;

// Tokens in, identities out: JSON Web Tokens in their compact form (RFC 7519, RFC 7515; by librhonabwy), held against
// the keys of the configuration. No message ever contains a part of a token. Immutable; any thread.
class authenticator {
public:
    // Throws std::invalid_argument at a key that this version cannot use.
    explicit authenticator(config::auth settings);

    // `now` is in seconds since the epoch. Fails with token_invalid (damaged, signed by nobody we know, an algorithm
    // other than the key's own, another issuer or audience, a member twice, more than 8 KB) or token_expired.
    core::result<policy::identity> verify(std::string_view token, std::int64_t now) const;

    // Who has no token. Fails with token_missing where the configuration wants one.
    core::result<policy::identity> anonymous() const;

private:
    core::result<void> check(const config::jwt_key& key, const core::value& claims, std::int64_t now) const;

    config::auth settings_;
};

// A token for these claims (an object), signed with the key: for `rowcast token` and the demo.
std::string issue(const core::value& claims, const config::jwt_key& key);

} // namespace rowcast::auth
