#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "protocol/wish.hpp"

namespace rowcast::protocol {

// Which parameters a resource has besides the subscription's own.
enum class resource { sse, changes, rows };

inline constexpr unsigned most_events = 10'000; // `limit`
inline constexpr std::chrono::seconds longest_wait{60};

// The query of /v1/sse, /v1/changes or /v1/rows: one subscription (`table=…&status=eq.open&columns=…`, `channel=…`), or
// several, each a query of its own, percent-encoded: `sub=NAME:public.orders?status=eq.open`, `sub=NAME:?channel=room:1`.
struct url_request {
    std::vector<wish> wishes;          // at least one
    bool named = false;                // by `sub`: events bear `subs`
    std::optional<std::string> after;
    unsigned limit = 500; // of rows: 0 where none was given
    std::chrono::seconds wait{0};
    std::optional<std::string> access_token;
};

// Fails with bad_request or bad_filter, naming the parameter. What is neither a parameter of the resource nor a filter
// is refused, with the nearest valid word.
core::result<url_request> parse_url_request(std::string_view query, resource of);

} // namespace rowcast::protocol
