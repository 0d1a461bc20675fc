#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
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
    bool matched = false;         // `matches` are complete
    bool ask_for_next = false;    // the group's reading waits for this page to be taken
    std::vector<match> matches;   // ordered by ordinal once `matched`
    std::size_t next = 0;         // the first match that has not been handed out
    std::shared_ptr<const void> kept;

    const core::change& change(const match& of) const { return batch->changes[of.ordinal]; }
};

} // namespace rowcast::hub
