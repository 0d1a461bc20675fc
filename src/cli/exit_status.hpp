#pragma once

#include "core/result.hpp"

namespace rowcast::cli {

// What scripts can rely on; `rowcast --help` tells it.
enum class exit_status : int {
    ok = 0,
    failed = 1,
    usage = 2,
    configuration_invalid = 3,
    database_unreachable = 4,
};

// Says on stderr what went wrong, and which status that is.
exit_status report(const core::failure& why);

} // namespace rowcast::cli
