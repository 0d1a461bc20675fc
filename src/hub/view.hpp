#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/change.hpp"
#include "policy/set.hpp"
#include "policy/visibility.hpp"

namespace rowcast::hub {

// What a subscription looks at: rows of a table through the rules, or a channel. Subscriptions whose specifications
// have the same `key()` share one view: its work and its bytes.
struct view_spec {
    struct channel {
        std::string name;
    };
    std::variant<std::shared_ptr<const policy::visibility>, channel> target;
    // What the subscriber's rights to it hang on; not a part of the key: those who share a view may have different ones.
    std::vector<policy::set_value_ptr> sets = {};

    std::string key() const;
    std::string_view table() const; // empty for a channel

    std::string rights() const; // the same where the subscriber sees the same, through the same sets
    bool is_superseded() const; // one of the sets is: to be authorized anew
    // Whether the subscriber's rights may not have been the same before the change. Errs on the side of yes.
    bool may_be_changed_by(const core::change& change) const;
};

using view_id = std::uint64_t; // never used twice in one process

// One change worded for one view, shared by everyone who gets it.
struct event {
    std::uint32_t ordinal = 0; // the change's index in its batch
    core::operation op = core::operation::insert;
    enum class kind : std::uint8_t {
        event,  // `text` is to be delivered
        resync, // the subscription ends here and the client reads again; `text` is the reason
    } what = kind::event;
    std::shared_ptr<const std::string> text; // the event's JSON without its opening brace and `subs`
};

// Words a change; `seen` is null for what has no row (TRUNCATE, a message). Thread-safe.
using event_writer = std::string (*)(const core::change&, const policy::effect* seen);

// What `change` is to the view; nothing where it is not concerned. Pure: the hub calls it once a change and view, a
// session that catches up calls it for itself.
std::optional<event> see(const view_spec& spec, const core::change& change, std::uint32_t ordinal, event_writer write);

} // namespace rowcast::hub
