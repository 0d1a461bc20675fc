#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/row.hpp"
#include "core/snapshot.hpp"

namespace rowcast::core {

enum class operation {
    insert,
    update,
    remove,   // DELETE
    truncate,
    message,  // rowcast.publish
    resync,   // something happened to the table that no trigger tells; `event` has the reason
};

// "INSERT", "UPDATE", "DELETE", "TRUNCATE", "MESSAGE", "RESYNC", as in the log and on the wire.
std::string_view to_string(operation op);
bool from_string(std::string_view text, operation& op);

// A place in the order in which the changes of one batch are delivered: whole transactions, in the order of their
// highest log id (so that none comes before one that it depends on), then by id.
struct place {
    change_id transaction_end = 0; // the highest id that the transaction logged
    change_id id = 0;
    auto operator<=>(const place&) const = default;
};

// One row of rowcast.change_log.
struct change {
    place where;
    transaction_id xid = 0;
    std::string at; // RFC 3339, UTC, microseconds

    operation op = operation::message;
    operation cause = operation::message; // what the application did; differs from op in the halves of a key change

    std::string table; // as PostgreSQL prints it, with its schema; empty for messages
    row after;         // INSERT, UPDATE
    row before;        // UPDATE, DELETE
    bool truncated = false; // too large for the log: the rows hold only the key

    std::string channel; // MESSAGE
    std::string event;   // MESSAGE; the reason of a RESYNC
    std::string payload; // MESSAGE: JSON text
    bool durable = true; // false: in no log and under no cursor, as a plain NOTIFY, or a row that is only explained

    // Whether its rows do not tell whom it concerns: of the table as a whole, or too large for the log.
    bool lacks_values() const { return truncated || op == operation::truncate || op == operation::resync; }

    std::size_t memory() const;
};

} // namespace rowcast::core
