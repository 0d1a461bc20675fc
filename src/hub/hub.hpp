#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/batch.hpp"
#include "core/cursor.hpp"
#include "hub/gateway.hpp"
#include "hub/publication.hpp"
#include "hub/ring.hpp"
#include "hub/view_index.hpp"

namespace rowcast::hub {

// Matches each batch against the views, once a change and view whatever the number of subscribers, and knows where a
// newcomer may join. Pure: no thread, no I/O, no clock; whoever owns it calls it from one thread and hands its
// publications to every shard in order.
class hub {
public:
    hub(event_writer write, ring::limits recent) : write_(write), ring_(recent) {}
    hub(const hub&) = delete;

    // Where the source stands at first. Nothing else may be called before.
    void start(std::shared_ptr<const core::cursor_codec> codec, core::snapshot head);
    // The same at the end of `past`, the pages of one complete step from `from`: for those who resume. Nobody is told.
    void start(std::shared_ptr<const core::cursor_codec> codec, core::snapshot from, std::vector<core::batch_ptr> past);
    bool started() const { return codec_ != nullptr; }

    // `superseded`: the sets whose values are others from this batch on. They bear their mark already.
    publication_ptr publish(core::batch_ptr batch, std::vector<policy::set_value_ptr> superseded = {});

    // Something that is in no log, for whoever is live now: it has no place in the order, and no cursor covers it.
    // Not inside a transaction.
    publication_ptr pass_on(core::change message);
    bool inside_transaction() const { return ring_.inside_transaction(); }

    // The source goes on with another log, or with a hole: everybody reads again, for `reason`.
    publication_ptr replace(std::shared_ptr<const core::cursor_codec> codec, core::snapshot head, std::string reason);

    // Joins the views to the stream, or says what is missing first. Nothing while it cannot be decided: the source is
    // in the middle of a transaction, or the cursor comes from a bridge that is ahead of this one. Ask again after the
    // next publication. With `at_last`, when the source has been read to a moment after the cursor was made, a cursor
    // that is still ahead is foreign: this database will never have that future.
    std::optional<attach_reply> attach(const attach_request& request, bool at_last = false);

    // Each id once for each time that it was given out.
    void detach(const std::vector<view_id>& views);

    std::size_t views() const { return by_id_.size(); }

private:
    std::shared_ptr<publication> match(core::batch_ptr batch);
    std::vector<view_id> join(const std::vector<view_spec>& specs);
    attach_reply reply(attach_reply::outcome what) const;

    event_writer write_;
    ring ring_;
    std::shared_ptr<const core::cursor_codec> codec_;
    std::string cursor_; // sealed ring_.head()
    view_index index_;
    view_id last_id_ = 0;
    using views_by_hash = std::unordered_multimap<std::size_t, view>; // of their keys, which would take more than they
    views_by_hash::iterator find(const std::string& key);

    views_by_hash by_hash_;
    std::unordered_map<view_id, view*> by_id_;
};

} // namespace rowcast::hub
