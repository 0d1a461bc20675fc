#include "core/error_code.hpp"

#include <array>
#include <cassert>
#include <cstddef>

namespace rowcast::core {
namespace {

using enum error_code;

constexpr std::array table{
    error_info{malformed, "malformed", 400, close_code::malformed, "The message is not a JSON object of a known form."},
    error_info{unknown_type, "unknown_type", 400, close_code::none, "No message has this type."},
    error_info{unknown_member, "unknown_member", 400, close_code::none, "The message has a member that its type does not have."},
    error_info{unknown_table, "unknown_table", 404, close_code::none, "No such table is watched."},
    error_info{unknown_column, "unknown_column", 400, close_code::none, "The table has no such captured column."},
    error_info{unknown_subscription, "unknown_subscription", 404, close_code::none, "There is no subscription with this id."},
    error_info{duplicate_subscription, "duplicate_subscription", 409, close_code::none, "There is a subscription with this id already."},
    error_info{bad_filter, "bad_filter", 400, close_code::none, "The filter is not valid."},
    error_info{bad_request, "bad_request", 400, close_code::none, "The request is not valid."},
    error_info{forbidden, "forbidden", 403, close_code::none, "No rule gives you access to this."},
    error_info{forbidden_column, "forbidden_column", 403, close_code::none, "No rule gives you this column."},
    error_info{token_missing, "token_missing", 401, close_code::unauthorized, "A token is required."},
    error_info{token_invalid, "token_invalid", 401, close_code::unauthorized, "The token is not valid."},
    error_info{token_expired, "token_expired", 401, close_code::unauthorized, "The token has expired."},
    error_info{token_revoked, "token_revoked", 401, close_code::unauthorized, "The token, its user or the session has been revoked."},
    error_info{subject_changed, "subject_changed", 403, close_code::none, "A session keeps its subject; connect anew for another."},
    error_info{cursor_malformed, "cursor_malformed", 400, close_code::none, "The cursor was not made by rowcast."},
    error_info{cursor_foreign, "cursor_foreign", 410, close_code::none, "The cursor belongs to another database or timeline."},
    error_info{cursor_expired, "cursor_expired", 410, close_code::none, "The change log no longer reaches back to the cursor."},
    error_info{permissions_changed, "permissions_changed", 410, close_code::none, "What you may see has changed."},
    error_info{message_too_large, "message_too_large", 413, close_code::too_big, "The message is too large."},
    error_info{too_many_subscriptions, "too_many_subscriptions", 429, close_code::none, "The session has as many subscriptions as it may have."},
    error_info{too_many_messages, "too_many_messages", 429, close_code::too_many, "Too many messages a second."},
    error_info{too_many_sessions, "too_many_sessions", 429, close_code::too_many, "There are as many sessions as there may be."},
    error_info{too_many_connects, "too_many_connects", 429, close_code::none, "There are too many connections a second from this address."},
    error_info{too_many_readings, "too_many_readings", 429, close_code::none, "As many clients as may are being given rows; come back later."},
    error_info{too_many_rows, "too_many_rows", 413, close_code::none, "There are more rows than one reading may give."},
    error_info{rows_timeout, "rows_timeout", 503, close_code::none, "The rows were not read or taken in time."},
    error_info{no_heartbeat, "no_heartbeat", 408, close_code::no_heartbeat, "Nothing was heard from the client for two heartbeats."},
    error_info{not_offered, "not_offered", 403, close_code::not_offered, "This transport is not offered to you now; poll, and ask /v1/session from time to time."},
    error_info{not_found, "not_found", 404, close_code::none, "There is nothing here."},
    error_info{method_not_allowed, "method_not_allowed", 405, close_code::none, "This resource does not have this method."},
    error_info{unsupported, "unsupported", 501, close_code::none, "This server does not do that."},
    error_info{configuration_invalid, "configuration_invalid", 422, close_code::none, "The configuration has problems; the old one stays."},
    error_info{unavailable, "unavailable", 503, close_code::none, "The bridge has no connection to PostgreSQL yet."},
    error_info{shutdown, "shutdown", 503, close_code::going_away, "The bridge is shutting down."},
    error_info{internal, "internal", 500, close_code::internal, "Something went wrong in the bridge."},
};

constexpr bool table_is_in_order()
{
    for (std::size_t i = 0; i < table.size(); ++i) {
        if (static_cast<std::size_t>(table[i].code) != i) {
            return false;
        }
    }
    return static_cast<std::size_t>(internal) + 1 == table.size();
}
static_assert(table_is_in_order());

} // namespace

const error_info& describe(error_code code)
{
    const auto index = static_cast<std::size_t>(code);
    assert(index < table.size());
    return table[index];
}

} // namespace rowcast::core
