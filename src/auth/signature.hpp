#pragma once

#include <string>
#include <string_view>

#include "config/configuration.hpp"

namespace rowcast::auth {

// Whether this version can verify and sign with the algorithm.
bool is_supported(std::string_view algorithm);

// Whether the key signed the token with exactly its own algorithm. Nothing in the token's header chooses a key, an
// algorithm or an address to fetch one from. Any thread.
bool is_signed(std::string_view token, const config::jwt_key& key);

// The token with this payload. Throws std::runtime_error where the key cannot sign.
std::string sign(std::string_view payload, const config::jwt_key& key);

} // namespace rowcast::auth
