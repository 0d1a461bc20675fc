#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/change.hpp"
#include "policy/visibility.hpp"

namespace rowcast::hub {

// What a subscription looks at: rows of a table through the rules, or a channel. Subscriptions whose specifications
// have the same `key()` share one view: its work and its bytes.
struct view_spec {
    struct channel {
        std::string name;
    };
    std::variant<std::shared_ptr<const policy::visibility>, channel> target;

    std::string key() const;
    std::string_view table() const; // empty for a channel
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
