#pragma once

#include "policy/identity.hpp"
#include "policy/rules.hpp"

#include <string>

namespace rowcast::policy {

// A short text that is another one where what the rules say to this user is: other rules for their roles, other values
// of the claims that these name or that sets take. The same after a token was refreshed, at every bridge with the same
// rules, and after a restart. Not a secret, and no proof of anything.
std::string fingerprint(const rules& all, const identity& who);

} // namespace rowcast::policy
