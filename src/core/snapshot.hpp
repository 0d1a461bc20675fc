#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace rowcast::core {

using transaction_id = std::uint64_t; // PostgreSQL's xid8
using change_id = std::uint64_t;      // rowcast.change_log.id

// PostgreSQL's pg_snapshot: which transactions are finished ("System Information Functions", pg_current_snapshot).
// Everything below xmin is; nothing from xmax on is; between them, all but those listed are.
struct snapshot {
    transaction_id xmin = 0;
    transaction_id xmax = 0;
    std::vector<transaction_id> in_progress; // ascending, each in [xmin, xmax)

    // Reads PostgreSQL's text form "xmin:xmax:x,y,z". Fails with cursor_malformed where it is not one.
    static result<snapshot> parse(std::string_view text);
    std::string to_string() const;

    // pg_visible_in_snapshot
    bool sees(transaction_id xid) const;

    // Whether everything that `other` sees is seen here too. Snapshots of one primary are totally ordered by this.
    bool includes(const snapshot& other) const;

    // The order above and the ranges of the members; what `parse` and the cursor's reader hold input against.
    bool is_valid() const;

    bool operator==(const snapshot&) const = default;
};

} // namespace rowcast::core
