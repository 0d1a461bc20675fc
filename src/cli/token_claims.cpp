#include "cli/token_claims.hpp"

#include "protocol/json.hpp"

namespace rowcast::cli {

namespace {

core::value text(const std::string& of)
{
    return {of, {}};
}

core::value number(std::chrono::seconds of)
{
    return {core::number::of(of.count()), {}};
}

// Makes the objects of a dotted path where they are missing.
core::result<void> set(core::object& into, std::string_view path, core::value what)
{
    const std::size_t dot = path.find('.');
    const std::string name(path.substr(0, dot));
    core::value* found = nullptr;
    for (auto& [known, value] : into) {
        if (known == name) {
            found = &value;
        }
    }
    if (dot == std::string_view::npos) {
        if (found != nullptr) {
            return core::failure{core::error_code::bad_request, "the claim '" + name + "' is said twice"};
        }
        into.emplace_back(name, std::move(what));
        return {};
    }
    if (found == nullptr) {
        found = &into.emplace_back(name, core::value{core::object{}, {}}).second;
    }
    auto* inside = std::get_if<core::object>(&found->data);
    if (inside == nullptr) {
        return core::failure{core::error_code::bad_request,
                             "the claim '" + name + "' has to be an object, for '" + std::string(path) + "'"};
    }
    return set(*inside, path.substr(dot + 1), std::move(what));
}

core::value read_value(const std::string& given)
{
    auto parsed = protocol::parse_json(given);
    return parsed ? std::move(*parsed) : text(given);
}

} // namespace

core::result<core::value> claims_for(const token_wish& wish, const config::auth& settings, std::chrono::seconds now,
                                     std::chrono::seconds lifetime)
{
    core::object claims;
    if (!wish.subject.empty()) {
        claims.emplace_back("sub", text(wish.subject));
    }
    claims.emplace_back("iat", number(now));
    claims.emplace_back("exp", number(now + lifetime));
    std::string roles_claim = settings.roles_claim;
    if (!settings.jwt.empty()) {
        const config::jwt_key& key = settings.jwt.front();
        roles_claim = key.roles_claim.value_or(roles_claim);
        if (key.issuer) {
            claims.emplace_back("iss", text(*key.issuer));
        }
        if (key.audience) {
            claims.emplace_back("aud", text(*key.audience));
        }
    }
    for (const std::string& each : wish.claims) {
        const std::size_t equals = each.find('=');
        if (equals == std::string::npos || equals == 0) {
            return core::failure{core::error_code::bad_request, "--claim wants NAME=VALUE, like branch=1"};
        }
        // A name is a name here, dots and all.
        const std::string name = each.substr(0, equals);
        for (const auto& [known, value] : claims) {
            if (known == name) {
                return core::failure{core::error_code::bad_request, "the claim '" + name + "' is said twice"};
            }
        }
        claims.emplace_back(name, read_value(each.substr(equals + 1)));
    }
    if (!wish.roles.empty()) {
        core::list roles;
        for (const std::string& each : wish.roles) {
            roles.push_back(text(each));
        }
        if (const auto done = set(claims, roles_claim, {std::move(roles), {}}); !done) {
            return done.error();
        }
    }
    return core::value{std::move(claims), {}};
}

} // namespace rowcast::cli
