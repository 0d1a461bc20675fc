#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "config/configuration.hpp"
#include "core/result.hpp"
#include "policy/identity.hpp"

namespace rowcast::config {

// The algorithms that tokens are verified with (RFC 7518 section 3.1, RFC 8037): `none` is not one.
std::span<const std::string_view> jwt_algorithms();

bool is_symmetric(std::string_view algorithm);        // a secret, not a key pair
std::size_t least_secret(std::string_view algorithm); // bytes (RFC 7518 section 3.2)

// Whether `jwks` is an address and not a file; and whether keys may be fetched from it: https, or http of this machine,
// where nobody stands in between.
bool is_url(std::string_view jwks);
bool is_safe_url(std::string_view url); // of one that is_url

// Who a token with these claims (an object) would speak for: its roles are where the first key that takes its issuer looks
// for them. Fails as policy::identify.
core::result<policy::identity> identify(const auth& settings, core::value claims);

} // namespace rowcast::config
