#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/batch.hpp"
#include "core/cursor.hpp"
#include "hub/view.hpp"
#include "hub/view_index.hpp"
#include "postgres/log_statement.hpp"

namespace rowcast::app {

// What several readings need to be served by one pass over the log. Pure.

// Whether one pass can serve both positions: both between two steps, or inside steps to the same end. (The order inside
// a step does not depend on where it begins; each takes what its own position does not cover.)
bool may_share_a_pass(const core::cursor& one, const core::cursor& other);

// The position from which all of them are served: the oldest snapshot, and inside a step the least progress. Those
// whose position is not behind it (none, on one primary) must not take part. `all` is not empty and may share a pass.
core::cursor common_start(const std::vector<core::cursor>& all);
bool is_behind(const core::cursor& start, const core::cursor& position);

// Who wants what of a pass: readings are told of a page only where it may hold something for them.
class audience {
public:
    audience() = default;
    audience(const audience&) = delete;

    // Adds the reading of that number, once.
    void add(std::size_t reading, const std::vector<hub::view_spec>& views);

    // The tables and channels that they look at, together.
    postgres::log_filter filter() const;

    // What a page may hold for a reading: nothing; something; something of the transaction that goes on behind it, too.
    enum class interest : std::uint8_t { none, some, goes_on };
    // Of each reading, by its number.
    std::vector<interest> interests(const core::batch& page);

private:
    struct seat {
        hub::view view;
        std::vector<std::size_t> readings;
    };
    std::unordered_map<std::string, std::unique_ptr<seat>> by_key_;
    std::vector<seat*> by_id_;
    std::size_t readings_ = 0; // the highest number, and one
    hub::view_index index_;
    policy::set_index sets_; // that the readings' rights hang on: their changes are told too
};

} // namespace rowcast::app
