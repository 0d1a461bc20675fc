#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/value.hpp"

namespace rowcast::policy {

// Who a user is, from the token: nothing else decides what they see.
struct identity {
    std::string subject;            // `sub`; empty for the anonymous
    std::vector<std::string> roles; // {"anonymous"} without a token
    core::value claims;             // all of the token's claims, an object
    std::optional<std::int64_t> expires; // seconds since the epoch
};

} // namespace rowcast::policy
