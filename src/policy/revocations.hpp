#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/result.hpp"
#include "policy/identity.hpp"

namespace rowcast::policy {

// A user, a token or a session that is let in no more. Times are in seconds since the epoch.
struct revocation {
    enum class kind { user, token, session };

    kind what = kind::user;
    std::string name;       // `sub`, `jti`, or what the welcome message says
    std::int64_t at = 0;    // of a user: it concerns tokens that were issued then or before
    std::int64_t until = 0; // when the last of those tokens has ended

    bool operator==(const revocation&) const = default;
};

// All that hold at a moment. A look costs three hash look-ups.
class revocations {
public:
    // One of the same name is replaced.
    void add(revocation added);
    void remove_ended(std::int64_t now);
    bool has(const revocation& one) const;
    std::size_t size() const { return all_[0].size() + all_[1].size() + all_[2].size(); }

    // Whether this user may come in, or stay. Fails with token_revoked. `session` is empty where there is none yet.
    core::result<void> admit(const identity& who, std::string_view session, std::int64_t now) const;

private:
    using by_name = std::unordered_map<std::string, revocation>;
    static constexpr std::size_t kinds = 3;

    const revocation* find(revocation::kind what, const std::string& name, std::int64_t now) const;

    std::array<by_name, kinds> all_; // by kind
};

} // namespace rowcast::policy
