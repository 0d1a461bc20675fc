#include "app/trust.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace rowcast::app {
namespace {

std::int64_t seconds_since_epoch()
{
    using namespace std::chrono;
    return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

} // namespace

trust::trust(config::auth settings, observe::sink tell)
    : tell_(std::move(tell)), facts_{std::make_shared<const auth::authenticator>(std::move(settings), tell_),
                                     std::make_shared<const policy::revocations>()}
{
}

trust::facts trust::now() const
{
    const std::lock_guard lock(mutex_);
    return facts_;
}

core::result<policy::identity> trust::authenticate(std::optional<std::string_view> token) const
{
    const facts known = now();
    auto who = token ? known.tokens->verify(*token, seconds_since_epoch()) : known.tokens->anonymous();
    if (who && token) {
        if (auto fine = known.revoked->admit(*who, "", seconds_since_epoch()); !fine) {
            return fine.error();
        }
    }
    return who;
}

core::result<void> trust::admit(const policy::identity& who, std::string_view session) const
{
    const facts known = now();
    if (who.signed_by != 0 && !known.tokens->trusts(who.signed_by)) {
        return core::failure{core::error_code::token_invalid, "the key that signed the token is no longer trusted; log in again"};
    }
    return known.revoked->admit(who, session, seconds_since_epoch());
}

// What the old one was verifying goes on with the old one.
void trust::replace(config::auth settings)
{
    auto fresh = std::make_shared<const auth::authenticator>(std::move(settings), tell_, now().tokens.get());
    const std::lock_guard lock(mutex_);
    facts_.tokens = std::move(fresh);
}

// On one thread. While a transaction stays open for long, the same ones are read again and again.
bool trust::add(const std::vector<policy::revocation>& read)
{
    const auto old = now().revoked;
    const auto fresh = std::count_if(read.begin(), read.end(), [&](const auto& each) { return !old->has(each); });
    if (fresh == 0) {
        return false;
    }
    auto all = std::make_shared<policy::revocations>(*old);
    for (const policy::revocation& each : read) {
        all->add(each);
    }
    all->remove_ended(seconds_since_epoch());
    const std::size_t total = all->size();
    {
        const std::lock_guard lock(mutex_);
        facts_.revoked = std::move(all);
    }
    tell_(observe::revocations_read{static_cast<std::size_t>(fresh), total});
    return true;
}

} // namespace rowcast::app
