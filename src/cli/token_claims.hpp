#pragma once

#include "config/configuration.hpp"
#include "core/result.hpp"
#include "core/value.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace rowcast::cli {

struct token_wish {
    std::string subject;
    std::vector<std::string> roles;
    std::vector<std::string> claims; // name=value
};

// The claims of a token that a bridge with these settings reads as the wish says: the roles where its `roles_claim`
// looks for them, and the issuer and audience that its first key asks for. Fails at a claim that is not name=value, or that is said twice.
core::result<core::value> claims_for(const token_wish& wish, const config::auth& settings, std::chrono::seconds now,
                                     std::chrono::seconds lifetime);

} // namespace rowcast::cli
