#pragma once

#include <boost/container/small_vector.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.hpp"
#include "hub/gateway.hpp"
#include "hub/shard.hpp"

namespace rowcast::hub {

// Why a subscription ends whose rights are others than they were.
inline constexpr const char* permissions_changed = "permissions_changed";

// What a feed has for its client, in this order and no other. Protocols word it.
struct subscribed {
    std::string id;
    enum class status { live, resumed, reset } what = status::live;
    core::error_code reason = core::error_code::internal; // of a reset
    std::string cursor;
};
struct rows { // the initial ones, in pages; no changes of the subscription before the last of them
    std::string id;
    std::string text; // JSON objects with commas between them
    bool more = false;
    std::string cursor; // with the last page of all that catch up together: what comes after it is not in the rows
};
struct changes {
    struct entry {
        boost::container::small_vector<std::string_view, 1> subs; // ids; valid until the feed is called again
        std::string_view text;              // valid as long as the `changes` that it stands in
    };
    std::string id; // of the one subscription that is catching up; empty: for all that are live
    boost::container::small_vector<entry, 1> events;
    std::string_view cursor; // valid as long as this
    bool more = false; // the transaction at the end goes on in the next one
    bool live = false; // the last one with this `id`: from here on the subscription moves with the live ones
    boost::container::small_vector<std::shared_ptr<const void>, 1> kept; // what the texts and the cursor lie in
    // When the oldest of the transactions logged the last of its changes that are here, by the database's clock.
    std::optional<std::chrono::system_clock::time_point> logged = {};
    bool replayed = false; // of the past, for one that is catching up
};
struct resync {
    std::string id;
    std::string reason;
};
struct unsubscribed {
    std::string id;
};
struct refused {
    std::string id;
    core::failure why;
};
using output = std::variant<subscribed, rows, changes, resync, unsubscribed, refused>;

struct feed_limits {
    std::size_t subscriptions = 100;
    std::size_t pending_bytes = 1024 * 1024; // more, and the feed goes back to catching up
};

// How much one `next` may hand out.
struct portion {
    std::size_t events = 10'000;
    std::size_t bytes = 32 * 1024; // a client that does not read holds this much, worded for it alone
};

// One client's subscriptions and what is to be sent for them: the position of a session, live or catching up, without
// its socket and without the words of its protocol. It belongs to its shard's thread and must not outlive the shard.
//
// It is pulled: `ready` is called when `next` may have something after it had nothing; the owner calls `next` whenever the client can take more, so
// that whatever has gathered leaves together. What the client does not take is kept as shared publications up to a limit, then dropped and read again
// from where the client stopped: memory is bounded and nobody is disconnected for being slow.
class feed {
public:
    // How `ready` is called. `soon`: from within; it must not call the feed, but see to it that `next` is called. `now`: a publication has been taken;
    // `next` may be called at once, while all of the feed is in the processor's cache. It must not end a feed.
    enum class pull { soon, now };
    using ready_call = std::function<void(pull)>;

    struct request {
        std::string id;
        view_spec view;
        std::set<core::operation> operations; // as the view sees them; TRUNCATE is always told. Empty: all
        bool snapshot = false; // the rows that are there come first; with a cursor, where it cannot be resumed from
    };

    feed(shard& home, feed_limits limits, ready_call ready);
    ~feed();
    feed(const feed&) = delete;

    // WebSocket: one subscription that catches up by itself, under its own id. Fails with duplicate_subscription,
    // too_many_subscriptions. A resynced subscription may be subscribed again.
    // With `reset`, a position before is lost already for that reason; it begins now, and its client is told.
    core::result<void> subscribe(request wanted, std::optional<std::string> after, std::optional<core::error_code> reset = {});

    // SSE and polling: all subscriptions at once, moving together from one cursor. Only on an empty feed.
    core::result<void> subscribe_together(std::vector<request> wanted, std::optional<std::string> after, std::optional<core::error_code> reset = {});

    // Fails with unknown_subscription.
    core::result<void> unsubscribe(std::string_view id);

    // Ends a subscription from this side: the client gets `resync`, and nothing more for it.
    void stop(std::string_view id, std::string reason);

    // The next thing for the client; nothing where there is nothing.
    std::optional<output> next(const portion& most);

    // The cursor that now holds for every subscription, where it is newer than the last one sent, all are live, and
    // nothing is waiting to be sent: for `cursor` messages and polls that time out. Counts as sent.
    std::optional<std::string> moved_on();

    bool has_output() const;

    // Whether every subscription is on the live stream and has been handed out all that it had: a poll has its answer.
    bool caught_up() const;

    std::size_t subscriptions() const;

    // Where its client stands.
    standing survey() const;

    // Whether it has gone back to catching up for its client's slowness since it was last asked.
    bool has_fallen_behind();

private:
    friend class shard;
    class state;
    std::shared_ptr<state> state_; // shared only with replies under way, which find it gone after us
};

} // namespace rowcast::hub
