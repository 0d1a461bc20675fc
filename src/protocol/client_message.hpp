#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/result.hpp"
#include "protocol/wish.hpp"

namespace rowcast::protocol {

// What a rowcast.v1 client says (DESIGN "Wire").
struct auth_message {
    std::string token;
};
struct subscribe_message {
    wish wanted;
};
struct unsubscribe_message {
    std::string id;
};
struct ping_message {
    std::string id; // as JSON, to be given back as it came; empty: none
};
using client_message = std::variant<auth_message, subscribe_message, unsubscribe_message, ping_message>;

inline constexpr std::size_t longest_token = 8 * 1024;

struct bad_message {
    std::string id; // the message's own, where it has one that can be read
    core::failure why;
};

// Reads one message strictly: what it does not know it refuses by name, with the nearest valid word, so that no typo
// widens a subscription. `malformed` means that it is no message at all (the connection ends); everything else leaves
// the connection alive.
std::variant<client_message, bad_message> parse_client_message(std::string_view text);

} // namespace rowcast::protocol
