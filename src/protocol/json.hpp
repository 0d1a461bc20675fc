#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/value.hpp"

namespace rowcast::protocol {

struct json_limits {
    std::size_t bytes = 1024 * 1024;
    std::size_t depth = 32; // of lists and objects in each other
};

// JSON text (RFC 8259) as a tree. Fails with `malformed` (the message says where and why) where the text is not JSON or
// not UTF-8, nested too deeply, has a number beyond a double's range, or a member twice (two readers of such an object
// may see two different ones).
// Fails with message_too_large above the limit.
core::result<core::value> parse_json(std::string_view text, const json_limits& limits = {});

using core::append_json;
using core::to_json;

} // namespace rowcast::protocol
