#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/batch.hpp"
#include "hub/view.hpp"

namespace rowcast::hub {

// A batch after the hub: what every view gets of it. Immutable, shared by all threads.
struct publication {
    core::batch_ptr batch;
    std::string cursor; // after this batch, sealed once for all
    std::shared_ptr<const core::cursor_codec> codec; // which seals cursors inside of it
    std::unordered_map<view_id, std::vector<event>> events;
    std::size_t evaluations = 0; // how often a view was asked about a change
    std::size_t memory = 0; // of the batch and the texts, about
    // The log was replaced under us (a restore, a fail-over): every subscription ends with a resync for this reason.
    std::string resync_all;
    // Subscriptions that depend on one of these end with a resync instead of getting what the batch holds for them.
    std::vector<policy::set_value_ptr> superseded;
};

using publication_ptr = std::shared_ptr<const publication>;

} // namespace rowcast::hub
