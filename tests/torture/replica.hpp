#pragma once

#include "core/snapshot.hpp"
#include "torture/schema.hpp"
#include "torture/world.hpp"

#include <nlohmann/json.hpp>

#include <deque>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_set>
#include <vector>

namespace rowcast::torture {

// Thrown where rowcast has broken its promise.
struct broken_promise : std::runtime_error {
    using std::runtime_error::runtime_error;
};

using row_set = std::map<std::string, std::string>; // rows by key, both as sorted JSON

// Rows as PostgreSQL has them, and of which snapshot they are.
struct reading {
    core::snapshot at;
    unsigned timeline = 0;
    std::map<std::string, row_set> rows; // by the view's name
};

// Reads all these views in one snapshot. Throws pqxx's errors, and any other std::runtime_error where a fail-over came between.
reading read_rows(const world& from, const std::vector<const view*>& views);

// The last few of what was there, for recognising it again.
class recent {
public:
    // False where it is there already.
    bool add(std::uint64_t what);

    bool has(std::uint64_t what) const { return set_.contains(what); }

private:
    std::unordered_set<std::uint64_t> set_;
    std::deque<std::uint64_t> order_;
};

// What a client holds of one subscription, and the cursor that says how far. Does as docs/protocol.md says, and throws
// broken_promise at any event that does not fit what it holds. A copy is what a client would have put on disk.
class replica {
public:
    replica(const view& of, bool whole_frames)
        : of_(&of)
        , whole_frames_(whole_frames)
    {
    }

    const view& of() const { return *of_; }

    bool held() const { return held_; }

    const std::optional<std::string>& cursor() const { return cursor_; }

    const row_set& rows() const { return rows_; }

    bool is_settled() const { return staged_.empty(); }

    // Nothing is known any more; `cursor` is where the stream begins.
    void forget(std::optional<std::string> cursor);
    // The rows, read after the stream began.
    void take_rows(const reading& what);
    // Of a subscription without rows: a channel.
    void take_nothing();

    void receive(nlohmann::json event);
    // What has been received is covered by this cursor; `more`: its last transaction goes on.
    void advance(const world& in, const std::string& cursor, bool more);
    // The connection is gone, and what no cursor covers with it.
    void disconnect();

    // Counted since the last call.
    std::size_t take_applied() { return std::exchange(applied_, 0); }

    // The transaction of the last message on this channel.
    std::optional<std::uint64_t> last_message() const { return last_message_; }

    std::optional<long> last_number() const { return last_number_; }

private:
    void settle(const world& in, const std::string& cursor, bool more);
    void apply(const nlohmann::json& event);
    void apply_row(const nlohmann::json& event);
    void apply_message(const nlohmann::json& event, std::uint64_t tx);
    [[noreturn]] void complain(const std::string& what, const nlohmann::json& event) const;

    const view* of_;
    bool whole_frames_; // keeps nothing of an unfinished transaction over a reconnect
    bool held_ = false;
    std::optional<std::string> cursor_;
    core::snapshot base_;
    unsigned timeline_ = 0;
    row_set rows_;
    std::vector<nlohmann::json> staged_;
    std::size_t covered_ = 0; // of staged_, by cursor_
    recent ids_;
    recent finished_;
    std::uint64_t open_ = 0;
    std::optional<long> last_number_;
    std::optional<std::uint64_t> last_message_;
    std::size_t applied_ = 0;
};

// Without nulls: a column that was added has none yet in the rows that were there.
nlohmann::json without_nulls(nlohmann::json row);

} // namespace rowcast::torture
