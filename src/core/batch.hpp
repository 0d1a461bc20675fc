#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/change.hpp"
#include "core/cursor.hpp"

namespace rowcast::core {

// A page of the step from one snapshot to the next: the changes that `after` sees and `before` did not, in the order
// of their places. Most steps are one page; a large one is many, and only the last is `complete`. A page can end
// inside a transaction. Immutable once made: it is shared by every thread.
struct batch {
    snapshot before;
    snapshot after;
    std::vector<change> changes;
    bool complete = true;           // no page of this step follows
    bool transaction_goes_on = false; // the next page begins with the same transaction as this one ends with

    // Whether all of it is of one transaction, which goes on behind it.
    bool is_part_of_transaction() const { return transaction_goes_on && changes.front().xid == changes.back().xid; }

    // The position of a reader who has taken this page, given that it had taken everything before.
    cursor position() const
    {
        if (complete || changes.empty()) {
            return {complete ? after : before, std::nullopt};
        }
        return {before, cursor::progress{after, changes.back().where}};
    }

    // The position of a reader who was at `from` and has taken this page. `from` may be later than where the step
    // begins: the order inside a step does not depend on that.
    cursor position_from(const cursor& from) const;

    std::size_t memory() const;

    // When the oldest of its transactions logged the last of its changes that are here, by the database's clock: as near before
    // its commit as can be known. Nothing where there is none. Set by `date`, once.
    std::optional<std::chrono::system_clock::time_point> logged = {};
    void date();
};

using batch_ptr = std::shared_ptr<const batch>;

} // namespace rowcast::core
