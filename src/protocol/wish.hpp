#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/change.hpp"
#include "core/result.hpp"
#include "policy/rules.hpp"

namespace rowcast::protocol {

// One subscription as a client asks for it, in a message or in a URL.
struct wish {
    struct table {
        std::string name;
        std::set<core::operation> events; // empty: all
        policy::table_request wanted;
    };
    struct channel {
        std::string name;
    };

    std::string id;
    std::variant<table, channel> to;
    bool snapshot = false;
    std::optional<std::string> after; // a cursor, unread
};

inline constexpr std::size_t longest_id = 128;
inline constexpr std::size_t longest_name = 512;   // of a table or a channel
inline constexpr std::size_t most_columns = 1600; // PostgreSQL's own limit

// The checks that a message and a URL share. Each fails with bad_request; `what` names the thing in the message.
core::result<void> check_name(std::string_view what, std::string_view text, std::size_t longest);
core::result<core::operation> parse_event(std::string_view text);
core::result<void> add_column(std::vector<std::string>& columns, std::string name);

} // namespace rowcast::protocol
