#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/key_source.hpp"
#include "config/configuration.hpp"
#include "config/problem.hpp"
#include "core/result.hpp"
#include "core/value.hpp"
#include "observe/observation.hpp"
#include "policy/identity.hpp"

namespace rowcast::auth {

// Tokens in, identities out: JSON Web Tokens in their compact form (RFC 7519, RFC 7515; by librhonabwy), held against
// the keys of the configuration and by the advice of RFC 8725. No message ever contains a part of a token. Any thread.
class authenticator {
public:
    // Throws std::invalid_argument at a key that cannot be used. `tell` may be empty. Keys that `before` has too are the
    // same ones: with what has been fetched of them, and under the same number.
    explicit authenticator(config::auth settings, const observe::sink& tell = {}, const authenticator* before = nullptr);

    // `now` is in seconds since the epoch. Fails with token_invalid (damaged, signed by nobody we know, an algorithm
    // other than the key's own, another issuer or audience, a member twice, more than 8 KB), token_expired, or
    // unavailable: the keys that it may be signed with are not here yet; try again.
    core::result<policy::identity> verify(std::string_view token, std::int64_t now) const;

    // Who a token with these claims would speak for, if there were one: nothing is verified. For explanations.
    core::result<policy::identity> suppose(core::value claims) const;

    // Whether tokens of this key (policy::identity::signed_by) are still accepted.
    bool trusts(std::uint64_t key) const;

    // Who has no token. Fails with token_missing where the configuration wants one.
    core::result<policy::identity> anonymous() const;

private:
    struct trusted {
        config::jwt_key what;
        std::uint64_t number = 0;             // no other key of this process ever has it
        std::shared_ptr<const key_set> fixed; // null: those of `source`, as they are now
        std::shared_ptr<key_source> source;
    };
    struct signed_token;

    core::result<void> check(const config::jwt_key& key, const core::value& claims, std::int64_t now) const;
    core::result<policy::identity> identify(core::value claims, const trusted& by) const;
    core::failure nobody_signed(const signed_token& token) const;

    config::auth settings_;
    std::vector<trusted> trusted_;
};

// What is wrong with the key files that the settings name, each where its key stands. URLs are not read.
std::vector<config::problem> problems(const config::auth& settings);

// A token for these claims (an object), signed with the key's secret: for `rowcast token` and the demo.
std::string issue(const core::value& claims, const config::jwt_key& key);

} // namespace rowcast::auth
