#include "policy/revocations.hpp"

#include <utility>

namespace rowcast::policy {
namespace {

std::size_t place_of(revocation::kind what)
{
    return static_cast<std::size_t>(what);
}

core::failure revoked(const char* what)
{
    return {core::error_code::token_revoked, what};
}

} // namespace

void revocations::add(revocation added)
{
    by_name& into = all_[place_of(added.what)];
    std::string name = added.name;
    into.insert_or_assign(std::move(name), std::move(added));
}

void revocations::remove_ended(std::int64_t now)
{
    for (by_name& each : all_) {
        std::erase_if(each, [now](const auto& entry) { return entry.second.until <= now; });
    }
}

bool revocations::has(const revocation& one) const
{
    const by_name& in = all_[place_of(one.what)];
    const auto found = in.find(one.name);
    return found != in.end() && found->second == one;
}

const revocation* revocations::find(revocation::kind what, const std::string& name, std::int64_t now) const
{
    const by_name& in = all_[place_of(what)];
    const auto found = in.find(name);
    return found != in.end() && now < found->second.until ? &found->second : nullptr;
}

core::result<void> revocations::admit(const identity& who, std::string_view session, std::int64_t now) const
{
    using kind = revocation::kind;
    // A token that does not say when it was issued may be from before.
    if (const revocation* user = find(kind::user, who.subject, now); user && (!who.issued || *who.issued <= user->at)) {
        return revoked("the user's tokens were revoked; log in again");
    }
    if (find(kind::token, who.token_id, now)) {
        return revoked("the token was revoked");
    }
    if (find(kind::session, std::string(session), now)) {
        return revoked("the session was ended by an operator");
    }
    return {};
}

} // namespace rowcast::policy
