#pragma once

#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/batch.hpp"
#include "hub/publication.hpp"

namespace rowcast::hub {

// A stream of pages towards one client: the live one, or that of a group of subscriptions that catches up.
struct stream {
    core::transaction_id open = 0; // the transaction whose last sent part was not its end
    bool told_more = false;        // the last frame said `more`
};

// One page for one stream, and how far it has been handed out.
struct page_work {
    struct match {
        std::uint32_t ordinal;
        std::size_t subscription;
        const event* what; // of the publication, or in `worded`

        // In the order of the changes; of one of them resyncs first, so that no frame ends between what it is to some and to others.
        bool operator<(const match& other) const
        {
            return ordinal != other.ordinal ? ordinal < other.ordinal : what->what == event::kind::resync && other.what->what != event::kind::resync;
        }
    };

    // A change that may concern a subscription.
    struct candidate {
        std::uint32_t ordinal;
        std::size_t subscription;
    };

    // Of the live stream. `at`: how much the shard has published.
    page_work(publication_ptr live, std::uint64_t at) : published(std::move(live)), since(at), matched(true) {}
    // Of a group that catches up.
    page_work(std::uint64_t number, core::batch_ptr past, std::optional<std::vector<candidate>> of) : group(number), replayed(std::move(past)), candidates(std::move(of)) {}

    std::uint64_t group = 0; // 0: the live stream
    publication_ptr published;
    core::batch_ptr replayed;
    std::optional<std::vector<candidate>> candidates; // of `replayed`, in its order; nothing: all
    std::uint64_t since = 0;
    std::size_t looked_at = 0;    // candidates, or changes, that have been matched: what matches is worded as it is handed out
    bool matched = false;         // all of them
    boost::container::small_vector<match, 1> matches;   // in their order
    std::size_t next = 0;         // the first match that has not been handed out
    std::optional<core::place> passed; // of the one before it, also where that has been let go of
    std::shared_ptr<const void> worded;

    const core::batch& batch() const { return published ? *published->batch : *replayed; }
    const core::change& change(const match& of) const { return batch().changes[of.ordinal]; }
    void pass() { passed = change(matches[next++]).where; }

    // Of the live stream: where a client stands who has what was handed out, and nothing of what was not.
    core::cursor reached() const
    {
        const core::batch& whole = batch();
        if (whole.changes.empty()) {
            return {whole.before, std::nullopt};
        }
        if (whole.changes.front().xid == 0) {
            return whole.position(); // it was passed on, and is in no log
        }
        if (next > 0 && next == matches.size()) {
            return {whole.before, core::cursor::progress{whole.after, *passed}};
        }
        // A page of which nothing has been handed out may be without some of its matches yet.
        core::place before = next > 0 ? change(matches[next]).where : whole.changes.front().where;
        --before.id;
        return {whole.before, core::cursor::progress{whole.after, before}};
    }
};

} // namespace rowcast::hub
