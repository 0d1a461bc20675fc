#pragma once

#include <boost/container/flat_map.hpp>

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "hub/feed.hpp"
#include "hub/page_work.hpp"

namespace rowcast::hub {

// The inside of a feed. One queue holds everything that the client is to get, in order: control outputs, pages of the
// live stream, pages of groups that catch up. A group is a set of subscriptions that share a position on their way to
// the live stream:
//
//     waiting -> attaching -> live (its subscriptions join the live stream, the group is gone)
//                    |  ^---- replaying: pages from the ring, then attach again or join
//                    +------> reading: pages from the log, then attach again
//
// One that wants the initial rows begins with them (rows), and then attaches from their cursor.
//
// The live stream that overflows becomes such a group itself (the one without a name), and starts when the client has
// taken everything that was left.
class feed::state final : public shard::receiver, public std::enable_shared_from_this<state> {
public:
    state(shard& home, feed_limits limits, ready_call ready);

    core::result<void> subscribe(std::vector<request> wanted, std::optional<std::string> after, std::optional<core::error_code> reset, bool named);
    core::result<void> unsubscribe(std::string_view id);
    void stop(std::string_view id, std::string reason);
    std::optional<output> next(const portion& most);
    std::optional<std::string> moved_on();
    bool has_output() const;
    bool caught_up() const { return !overflowed_ && items_.empty() && groups_.empty(); }
    std::size_t subscriptions() const;
    bool has_fallen_behind() { return std::exchange(fell_behind_, false); }
    void leave(); // the feed is going: let go of every view and every reading

    void take(const publication_ptr& published, std::size_t subscription, const std::vector<event>& events) override;
    void close_transaction(const publication_ptr& published) override;
    void told() override;
    void resync(std::size_t subscription, const std::string& reason) override;
    std::optional<std::uint64_t> let_go(std::uint64_t before) override;
    bool awaits_end_of_transaction() const override { return queued_open_ != 0; }
    standing survey() const override;

private:
    struct subscription {
        std::string id;
        view_spec view;
        std::set<core::operation> operations;
        bool snapshot = false;
        std::uint64_t group = 0;  // 0: live
        bool stopped = false;     // the client has been told to read again
        view_id attached = 0;     // 0: not on the stream
        bool fallen = false;      // on the stream still, but what comes is dropped: to be detached
        std::unique_ptr<const core::cursor> start; // later than its group's position: what this covers was not asked for
        bool wants(const event& what) const;
    };
    struct group : stream {
        enum class step { waiting, attaching, replaying, reading, rows } now = step::waiting;
        core::cursor position; // what the client has of it
        std::shared_ptr<const core::cursor_codec> codec; // of the log that the position belongs to
        bool named = true;
        bool announced = false;           // the client has had its `subscribed`
        bool announced_as_live = false;   // and believes that it moves with the live stream
        std::optional<std::string> after; // where to attach; nothing: from now on
        std::optional<core::error_code> reset; // the position that the client had asked for is lost, for this reason
        std::unique_ptr<log_reading> reading;
        std::unique_ptr<row_reading> rows;
        std::vector<std::size_t> row_members; // who wants rows, in the order of the reading's views
    };
    struct join { // the group has been brought up to the live stream
        std::uint64_t group;
    };
    struct attach_again {
        std::uint64_t group;
    };
    struct read_on { // the client has taken a page of rows
        std::uint64_t group;
    };
    using item = std::variant<output, page_work, join, attach_again, read_on>;
    using queue = std::list<item, recycling_allocator<item>>;

    // catching up (feed_catch_up.cpp)
    void start(std::uint64_t group_number);
    void attach(std::uint64_t group_number);
    void attached(std::uint64_t group_number, const std::vector<std::size_t>& members, attach_reply reply);
    void push_past(std::uint64_t group_number, const std::vector<chapter_ptr>& past, std::uint32_t first = 0, std::size_t bytes = SIZE_MAX);
    void read(std::uint64_t group_number);
    void page_read(std::uint64_t group_number, core::result<log_reading::page> page);
    void read_rows(std::uint64_t group_number);
    void ask_for_rows(std::uint64_t group_number);
    void rows_read(std::uint64_t group_number, core::result<row_reading::page> page);
    void give_rows(std::uint64_t group_number, row_reading::page page);
    void refuse(std::uint64_t group_number, const core::failure& why);
    bool wants_rows(std::uint64_t group_number) const;
    void end_superseded(std::uint64_t group_number, const std::string& cursor);
    void announce(std::uint64_t group_number, subscribed::status what, const std::string& cursor);
    void give_up(std::uint64_t group_number, core::error_code why);
    void adopt(const std::vector<std::size_t>& members, const std::vector<view_id>& views);
    void start_waiting_groups();
    bool main_is_away() const;
    std::vector<std::size_t> members(std::uint64_t group_number) const;
    void drop_if_empty(std::uint64_t group_number);
    void overflow();

    // handing out (feed_output.cpp)
    std::optional<output> let_join(std::uint64_t number);
    void hand_out(const portion& most, std::optional<output>& into);
    void match(page_work& work, const core::cursor& position, std::size_t bytes) const;
    stream& stream_of(group* catching_up) { return catching_up ? *catching_up : live_; }
    void cut(changes& out, const page_work& work, group* catching_up);
    void finish_page(changes& out, page_work& work, group* catching_up);

    static std::uint64_t hash(std::string_view cursor);
    const page_work* oldest_live() const; // the page of the live stream that has waited longest; null: none waits
    page_work& page_of(const publication_ptr& published);
    void push(item added);
    void insert(queue::const_iterator before, item added);
    void say_at_once(unsubscribed what);
    void detach(subscription& from);
    subscription* find(std::string_view id);
    std::size_t number_of(const subscription& of) const;
    void settle(); // let go of what an overflow left attached

    shard& home_;
    feed_limits limits_;
    ready_call ready_;

    boost::container::flat_map<std::size_t, subscription> subscriptions_; // by consecutive numbers
    std::size_t last_subscription_ = 0;
    std::map<std::uint64_t, group> groups_;
    std::uint64_t last_group_ = 0;

    queue items_; // mostly empty: a deque never is
    stream live_;
    std::uint64_t last_cursor_ = 0;        // hash of the last one that the client got for the live stream
    std::size_t pending_bytes_ = 0;        // of live events in items_
    core::transaction_id queued_open_ = 0; // the transaction that the newest queued live page leaves open
    std::optional<std::uint64_t> keeps_since_; // what the shard knows; it may have taken that since
    bool begins_ = false;                  // the publication that is being told found nothing in items_
    bool overflowed_ = false;              // nothing is taken until the next `next`
    bool fell_behind_ = false;             // and nobody has been told yet
};

} // namespace rowcast::hub
