#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/batch.hpp"
#include "hub/publication.hpp"

namespace rowcast::hub {

// A stream of pages towards one client: the live one, or that of a group of subscriptions that catches up.
struct stream {
    core::cursor position;              // what the client has of it
    std::shared_ptr<const core::cursor_codec> codec; // of the log that the position belongs to
    core::transaction_id open = 0;      // the transaction whose last sent part was not its end
    bool told_more = false;             // the last frame said `more`
};

// One page for one stream, and how far it has been handed out.
struct page_work {
    struct match {
        std::uint32_t ordinal;
        std::size_t subscription;
        const event* what; // lies in `kept`
    };

    std::uint64_t group = 0; // 0: the live stream
    core::batch_ptr batch;
    std::string cursor;           // after the page, where it is sealed already
    std::shared_ptr<const core::cursor_codec> codec; // of the batch's log; null: the group's
    std::uint64_t sequence = 0;   // of the publication; 0: not from one
    std::uint64_t since = 0;      // how much the shard had published then
    std::uint32_t looked_at = 0;  // changes, as far as they have been matched: what matches is worded as it is handed out
    bool matched = false;         // all of them
    bool ask_for_next = false;    // the group's reading waits for this page to be taken
    std::vector<match> matches;   // ordered by ordinal
    std::size_t next = 0;         // the first match that has not been handed out
    std::optional<core::place> passed; // of the one before it, also where that has been let go of
    std::shared_ptr<const void> kept;

    const core::change& change(const match& of) const { return batch->changes[of.ordinal]; }
    void pass() { passed = change(matches[next++]).where; }
};

} // namespace rowcast::hub
