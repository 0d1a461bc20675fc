#pragma once

#include "cli/terminal.hpp"
#include "policy/explanation.hpp"

#include <string>

namespace rowcast::cli {

// An explanation for people: each rule with its conditions, what came of them, and the verdict last.
//
//     ✗ rule 1, line 12, for customer
//         ✗ owner_id eq $claims.sub  (the row has 8, $claims.sub is "7")
//     – rule 2, line 15, for support: this user has none of these roles
//
//     Not sent: no rule for this user holds.
//
// Pure, and safe for a terminal whatever the row holds. `margin` stands before each line.
std::string explanation_text(const policy::explanation& of, const painter& paint, std::string_view margin = "");

} // namespace rowcast::cli
