#pragma once

#include "core/change.hpp"
#include "core/value.hpp"

#include <optional>
#include <string>
#include <vector>

namespace rowcast::config {

// One of the file's `expectations`: what a user must get, or must not. `rowcast check` holds the rules against them; a
// bridge does not read them.
struct expectation {
    struct answer {
        enum class kind { nothing, everything, columns } what = kind::nothing;
        std::vector<std::string> columns; // sorted; exactly these
        core::mark at;
    };

    core::mark at;
    std::optional<core::value> claims; // of the user's token; nothing: without a token
    std::optional<core::value> sets;   // what the sets hold for them, each a list
    std::string table;                 // empty: a channel
    std::string channel;
    std::optional<core::value> before; // a change; a row by itself is `after`
    std::optional<core::value> after;
    std::optional<answer> sees;
    std::optional<core::operation> gets; // a change's effect; nothing and no `sees`: they get nothing
    core::mark gets_at;
};

} // namespace rowcast::config
