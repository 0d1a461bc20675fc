#pragma once

#include "core/cursor.hpp"
#include "postgres/connection.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace rowcast::postgres {

// Which log this is. Cursors of one identity mean nothing in another.
struct log_identity {
    std::string log_id; // a uuid, made at install, and anew in a restored or copied database
    std::string system_identifier;
    std::string database_oid;
    unsigned timeline = 0;       // another one after a fail-over, whose primary may have lost transactions
    std::string cursor_key;      // secret
    std::int32_t lock_class = 0; // advisory lock keys: +0 the doorbell, +1 retention, +2 changes to watches
    std::int32_t lock_key = 0;
    bool renewed = false; // this claim found a copy, emptied the log and gave it a new identity

    // All that makes it up in one text, for the cursor codec.
    std::string text() const;

    core::cursor_codec codec() const { return core::cursor_codec(text(), cursor_key); }

    bool same_log(const log_identity& other) const { return text() == other.text(); }
};

// Checks that rowcast is installed in the version of this program, and on a primary. `ask` runs a statement and gives
// the first field of its only row. Throws database_error with what to do.
void check_installation(const std::function<std::string(const char* sql)>& ask, const std::string& place);

// Checks the installation, then claims. Before each first read on a new connection. Throws database_error with what to
// do.
log_identity claim_identity(connection& on);

} // namespace rowcast::postgres
