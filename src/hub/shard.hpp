#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "hub/gateway.hpp"
#include "hub/key_table.hpp"
#include "hub/publication.hpp"
#include "hub/recycling_memory.hpp"
#include "hub/standing.hpp"

namespace rowcast::hub {

class feed;

// The feeds of one thread and which views they are on: hands each publication to those whom it concerns. One thread.
class shard {
public:
    // Who has not taken its part of a publication when `most_held` bytes of newer ones have come goes back to catching
    // up: one small event keeps its whole publication, and a thousand clients who do not read could keep a thousand. So
    // what waits for slow clients is bounded for all of them together.
    shard(shard_id id, gateway& hub, event_writer write, std::size_t most_held = 16 * 1024 * 1024)
        : id_(id), hub_(hub), write_(write), most_held_(most_held)
    {
    }
    shard(const shard&) = delete;

    // Tells each feed all that concerns it of these publications, which follow one upon the other, at once.
    void publish(std::span<const publication_ptr> published);
    void publish(const publication_ptr& published) { publish({&published, 1}); }

    // The cursor of the newest publication; empty before the first.
    const std::string& cursor() const { return cursor_; }
    shard_id id() const { return id_; }

    // The rows that are there already, for those who want nothing else.
    std::unique_ptr<row_reading> read_rows(row_request wanted) { return hub_.read_rows(id_, std::move(wanted)); }

    // Calls `done`, later, when the hub has seen all that the cursor covers: whose rights ended before it is known then.
    void await(std::string cursor, std::function<void()> done)
    {
        hub_.attach(id_, {{}, std::move(cursor)}, [done = std::move(done)](const attach_reply&) { done(); });
    }

    // Of so many feeds from that one on: a look at each takes some hundred nanoseconds, and there may be many. Those that
    // come and go between two calls may be missed, or counted twice.
    std::size_t feeds() const { return all_.size(); }
    standing survey(std::size_t first, std::size_t most) const;

private:
    friend class feed;
    // What a publication reaches: a feed's state, and the feed's own number for the subscription. Only `resync` and `told` may
    // change who is subscribed to what; none may end another.
    class receiver {
    public:
        virtual ~receiver() = default;
        virtual void take(const publication_ptr& published, std::size_t subscription, const std::vector<event>& events) = 0;
        // It has taken its part of what is being published now.
        virtual void told() = 0;
        // For those who have taken a part of a transaction that goes on: the next publication has been told.
        virtual void close_transaction(const publication_ptr& published) = 0;
        virtual void resync(std::size_t subscription, const std::string& reason) = 0;
        virtual bool awaits_end_of_transaction() const = 0;
        // Falls back where it keeps something older than that. Returns since when it keeps what it keeps then, if anything.
        virtual std::optional<std::uint64_t> let_go(std::uint64_t before) = 0;
        virtual standing survey() const = 0;

    private:
        friend class shard;
        std::size_t place_ = 0; // in `all_`
    };
    struct subscriber {
        receiver* whose = nullptr;
        std::size_t subscription = 0;
        bool operator==(const subscriber&) const = default;
    };

    // What a subscription gets of a publication.
    static constexpr std::size_t none = SIZE_MAX;
    struct part {
        subscriber to;
        const publication_ptr* published;
        const std::vector<event>* events;
        std::size_t next = none; // of the same receiver
    };
    void gather(const publication_ptr& published);
    void hand_out();
    void close_transaction(const publication_ptr& published);

    void enter(receiver& added);
    void leave(receiver& gone);
    void add(view_id view, subscriber added);
    void remove(view_id view, subscriber removed);
    // The same for what its rights depend on.
    void add(const std::vector<policy::set_value_ptr>& sets, subscriber added);
    void remove(const std::vector<policy::set_value_ptr>& sets, subscriber removed);
    void end_all_on(const std::vector<policy::set_value_ptr>& superseded);

    // A receiver keeps a publication: since `published()` was so much.
    std::uint64_t published() const { return published_; }
    void keeps(receiver& whose, std::uint64_t since) { keeping_.emplace(since, &whose); }
    void keeps_no_more(receiver& whose, std::uint64_t since) { keeping_.erase({since, &whose}); }
    void limit_kept();

    shard_id id_;
    gateway& hub_;
    event_writer write_;
    std::size_t most_held_;
    recycling_memory queued_; // what waits for each feed: mostly a page that it takes at once
    std::uint64_t published_ = 0; // bytes so far
    std::set<std::pair<std::uint64_t, receiver*>> keeping_; // since when at most; each once
    std::string cursor_;
    key_table<subscriber> subscribers_; // by view
    std::vector<part> parts_; // that have not been handed out
    std::vector<std::size_t> firsts_; // of them the first of each receiver
    std::vector<std::size_t> last_; // of them, by a receiver's place
    std::unordered_map<const policy::set_value*, std::vector<subscriber>> dependents_;
    std::vector<receiver*> all_;
    std::unordered_set<receiver*> unfinished_; // those who got a part of a transaction that goes on
};

} // namespace rowcast::hub
