#pragma once

#include <string>
#include <vector>

#include "core/change.hpp"
#include "policy/visibility.hpp"

namespace rowcast::protocol {

// Appends the fields as a JSON object: {"id":42,"status":"paid"}.
void append_object(std::string& out, const std::vector<core::field>& fields);

// A change as DESIGN "What a subscriber receives" words it, without the opening brace and `subs`, so that its bytes can
// be shared by everybody who gets it. Values are passed on digit for digit. `seen` is what the change is to the viewer;
// null for what has no row: TRUNCATE and messages. Thread-safe.
std::string event_text(const core::change& change, const policy::effect* seen);

} // namespace rowcast::protocol
