#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/authenticator.hpp"
#include "config/configuration.hpp"
#include "observe/observation.hpp"
#include "policy/revocations.hpp"

namespace rowcast::app {

// Who may come in, and stay: what the keys say, and what has been revoked since. Any thread.
class trust {
public:
    // Throws std::invalid_argument at a key that cannot be used, as does `replace`.
    trust(config::auth settings, observe::sink tell);

    // Without a token: as in auth::authenticator::anonymous.
    core::result<policy::identity> authenticate(std::optional<std::string_view> token) const;

    // Who a token with these claims would speak for; nothing is verified.
    core::result<policy::identity> suppose(core::value claims) const { return now().tokens->suppose(std::move(claims)); }

    // Whether a session may go on. Fails with token_revoked, or token_invalid where the key that signed its token is no longer configured.
    core::result<void> admit(const policy::identity& who, std::string_view session) const;

    void replace(config::auth settings);
    bool add(const std::vector<policy::revocation>& read); // whether any of them is new

private:
    struct facts {
        std::shared_ptr<const auth::authenticator> tokens;
        std::shared_ptr<const policy::revocations> revoked;
    };
    facts now() const;

    const observe::sink tell_;
    mutable std::mutex mutex_; // of what follows
    facts facts_;
};

} // namespace rowcast::app
