#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "core/change.hpp"
#include "core/snapshot.hpp"

namespace rowcast::core {

// "Everything in this snapshot has been delivered." Inside a batch that did not fit into one frame: everything in
// `seen`, and of what `target` sees beyond it, everything up to and including `last`.
struct cursor {
    struct progress {
        snapshot target;
        place last;
        bool operator==(const progress&) const = default;
    };

    snapshot seen;
    std::optional<progress> inside;

    // Whether the change has been delivered to whoever holds this cursor.
    bool covers(transaction_id xid, place where) const;

    bool operator==(const cursor&) const = default;
};

// Turns cursors into short URL-safe strings and back. A string bears the log's identity and a signature (HMAC-SHA-256,
// RFC 2104, cut to 10 bytes), so that none can be made up; nothing is stored, so any bridge serves any cursor.
// Immutable; any thread.
class cursor_codec {
public:
    // `identity` names the log: uuid, system identifier, database and timeline in one text. `key` is the secret from
    // the database, at least 16 bytes.
    cursor_codec(std::string_view identity, std::string key);

    std::string seal(const cursor& position) const;

    // Fails with cursor_malformed (not ours, damaged, or made up) or cursor_foreign (another log's or timeline's).
    result<cursor> open(std::string_view text) const;

    // The longest string that `open` looks at: a snapshot lists at most the server's open transactions.
    static constexpr std::size_t longest = 48 * 1024;

private:
    std::string signature(std::string_view bytes) const;

    std::string identity_; // its first 6 bytes of SHA-256
    std::string key_;
};

} // namespace rowcast::core
