#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace rowcast::config {

// The algorithms that tokens are verified with (RFC 7518 section 3.1, RFC 8037): `none` is not one.
std::span<const std::string_view> jwt_algorithms();

bool is_symmetric(std::string_view algorithm);        // a secret, not a key pair
std::size_t least_secret(std::string_view algorithm); // bytes (RFC 7518 section 3.2)

// Whether `jwks` is an address and not a file; and whether keys may be fetched from it: https, or http of this machine,
// where nobody stands in between.
bool is_url(std::string_view jwks);
bool is_safe_url(std::string_view url); // of one that is_url

} // namespace rowcast::config
