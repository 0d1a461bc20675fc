#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace rowcast::auth {

// What a signature is held against: a secret, or a public key. Each knows the algorithms that it may be used with, so that
// a token cannot choose another one (RFC 8725 section 3.1).
struct key {
    std::string id;                      // `kid`; empty: it has none
    std::vector<std::string> algorithms; // "RS256", as in RFC 7518 section 3.1 and RFC 8037
    std::string jwk;                     // RFC 7517; secret where it is symmetric

    bool operator==(const key&) const = default;
};

using key_set = std::vector<key>;

// The secret's length is the configuration's matter.
key secret_key(std::string_view algorithm, std::string_view secret);

// A public key or a certificate in PEM. Fails where it is none, or of a kind or size that is not for the algorithm.
core::result<key> public_key(std::string_view algorithm, const std::string& pem);

// A JSON Web Key Set (RFC 7517 section 5). Keys for encryption and of kinds that are not known here are left out, as the
// RFC wants; so are secrets, unless they are allowed: a set that others can read must not have any. Fails where it is no
// such set, or where no key is left.
core::result<key_set> read_key_set(const std::string& json, bool secrets_allowed);

// Whether the key signed the token with this algorithm, which its header names as well. Any thread.
bool is_signed(std::string_view token, std::string_view algorithm, const key& by);

// The token with this payload. Throws std::runtime_error where the key cannot sign.
std::string sign(std::string_view payload, std::string_view algorithm, const key& by);

} // namespace rowcast::auth
