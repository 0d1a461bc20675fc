#pragma once

#include <string_view>

namespace rowcast::core {

// Everything that can go wrong in a conversation with a client. The names are part of the wire contract.
enum class error_code {
    malformed,
    unknown_type,
    unknown_member,
    unknown_table,
    unknown_column,
    unknown_subscription,
    duplicate_subscription,
    bad_filter,
    bad_request,
    forbidden,
    forbidden_column,
    token_missing,
    token_invalid,
    token_expired,
    token_revoked,
    subject_changed,
    cursor_malformed,
    cursor_foreign,
    cursor_expired,
    permissions_changed,
    message_too_large,
    too_many_subscriptions,
    too_many_messages,
    too_many_sessions,
    too_many_connects,
    too_many_readings,
    too_many_rows,
    rows_timeout,
    no_heartbeat,
    not_offered,
    not_found,
    method_not_allowed,
    unsupported,
    configuration_invalid,
    unavailable,
    shutdown,
    internal,
};

// WebSocket close codes (RFC 6455 section 7.4; 4400-4499 are rowcast's). A client comes back at once after 1001 and
// 4408, with a fresh token after 4401, later after 4429, over another transport after 4406, and not at all after 4400 and 4403.
enum class close_code : unsigned short {
    none = 0, // the connection lives on
    going_away = 1001,
    too_big = 1009,
    internal = 1011,
    malformed = 4400,
    unauthorized = 4401,
    forbidden = 4403,
    not_offered = 4406,
    no_heartbeat = 4408,
    too_many = 4429,
};

struct error_info {
    error_code code;
    std::string_view name;     // on the wire: "cursor_expired"
    unsigned http_status;      // of the problem+json answer
    close_code close;          // what it does to a WebSocket
    std::string_view sentence; // the title of the problem, and the message where nothing more precise is known
};

// The one table of codes. Never fails: every enumerator has a row.
const error_info& describe(error_code code);

inline std::string_view to_string(error_code code)
{
    return describe(code).name;
}

} // namespace rowcast::core
