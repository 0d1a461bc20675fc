#include "config/jwt.hpp"

#include <algorithm>
#include <array>

namespace rowcast::config {

std::span<const std::string_view> jwt_algorithms()
{
    static constexpr std::array<std::string_view, 13> all = {"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256",
                                                             "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"};
    return all;
}

bool is_symmetric(std::string_view algorithm)
{
    return algorithm.starts_with("HS");
}

std::size_t least_secret(std::string_view algorithm)
{
    return algorithm == "HS512" ? 64 : algorithm == "HS384" ? 48 : 32;
}

bool is_url(std::string_view jwks)
{
    return jwks.find("://") != std::string_view::npos;
}

bool is_safe_url(std::string_view url)
{
    const std::size_t start = url.find("://") + 3;
    const std::string_view authority = url.substr(start, url.find_first_of("/?#", start) - start);
    if (authority.empty() || authority.find_first_of("@\\") != std::string_view::npos) {
        return false; // http://localhost:1@id.example is not on this machine
    }
    const auto is_host = [&](std::string_view name) {
        return authority.starts_with(name) && (authority.size() == name.size() || authority[name.size()] == ':');
    };
    return url.starts_with("https://") ||
           (url.starts_with("http://") && (is_host("127.0.0.1") || is_host("localhost") || is_host("[::1]")));
}

core::result<policy::identity> identify(const auth& settings, core::value claims)
{
    const core::value* issuer = claims.find("iss");
    const std::string* name = issuer ? issuer->as_string() : nullptr;
    const auto by = std::find_if(settings.jwt.begin(), settings.jwt.end(),
                                 [&](const jwt_key& each) { return !each.issuer || (name && *each.issuer == *name); });
    const std::string path = by != settings.jwt.end() ? by->roles_claim.value_or(settings.roles_claim) : settings.roles_claim;
    return policy::identify(std::move(claims), path);
}

} // namespace rowcast::config
