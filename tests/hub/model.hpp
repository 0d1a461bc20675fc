#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "core/batch.hpp"
#include "hub/feed.hpp"
#include "hub/hub.hpp"
#include "hub/shard.hpp"
#include "policy/rules.hpp"

namespace rowcast::hub::model {

// A PostgreSQL of a few transactions: gives out xids and ids, commits and rolls back, takes snapshots, and reads its
// log from one snapshot to the next as the follower and the log reader do.
class database {
public:
    struct transaction {
        core::transaction_id xid = 0;
        // Each its id, and a channel; "rows x": a row of that table, with the id of the change; "members 7": of a set; "resync rows x":
        // what happened to that table no trigger tells.
        std::vector<std::pair<core::change_id, std::string>> logged;
        std::uint64_t began = 0;                                     // logical time
    };

    core::transaction_id begin()
    {
        open_[next_xid_] = {next_xid_, {}, ++time_};
        return next_xid_++;
    }
    void log(core::transaction_id xid, std::string channel) { open_.at(xid).logged.emplace_back(next_id_++, std::move(channel)); }
    void finish(core::transaction_id xid, bool commit)
    {
        if (commit && !open_.at(xid).logged.empty()) {
            committed_[xid] = open_.at(xid);
            committed_at_[xid] = ++time_;
        }
        open_.erase(xid);
    }
    std::vector<core::transaction_id> open() const
    {
        std::vector<core::transaction_id> xids;
        for (const auto& [xid, each] : open_) {
            xids.push_back(xid);
        }
        return xids;
    }

    core::snapshot now() const
    {
        return {open_.empty() ? next_xid_ : open_.begin()->first, next_xid_, open()};
    }

    // What `to` sees and the position does not cover, in order, as pages of about `size` changes.
    std::vector<core::batch_ptr> read(const core::cursor& from, const core::snapshot& to, std::size_t size) const
    {
        std::vector<core::change> found;
        for (const auto& [xid, each] : committed_) {
            for (const auto& [id, channel] : each.logged) {
                const core::place where{each.logged.back().first, id};
                if (to.sees(xid) && !from.covers(xid, where)) {
                    core::change made;
                    made.where = where;
                    made.xid = xid;
                    made.channel = channel;
                    made.payload = "{}";
                    if (channel.starts_with("members ")) { // of a user
                        made.op = made.cause = core::operation::insert;
                        made.table = "members";
                        made.after = core::row::parse(R"({"user_id":)" + channel.substr(8) + "}").value();
                    }
                    if (channel.starts_with("rows ")) {
                        made.op = made.cause = core::operation::insert;
                        made.table = channel;
                        made.after = core::row::parse(R"({"id":)" + std::to_string(id) + "}").value();
                    }
                    if (channel.starts_with("resync ")) {
                        made.op = made.cause = core::operation::resync;
                        made.table = channel.substr(7);
                        made.event = "partition_detached";
                    }
                    found.push_back(std::move(made));
                }
            }
        }
        std::sort(found.begin(), found.end(), [](const auto& left, const auto& right) { return left.where < right.where; });
        std::vector<core::batch_ptr> pages;
        for (std::size_t at = 0; at == 0 || at < found.size(); at += size) {
            core::batch page{from.seen, to, {}, at + size >= found.size(), false};
            page.changes.assign(found.begin() + static_cast<std::ptrdiff_t>(at),
                                found.begin() + static_cast<std::ptrdiff_t>(std::min(at + size, found.size())));
            page.transaction_goes_on = !page.complete && found[at + size].xid == page.changes.back().xid;
            pages.push_back(std::make_shared<const core::batch>(std::move(page)));
        }
        return pages;
    }

    // The rows of a table that a snapshot sees.
    std::vector<core::change_id> rows(const std::string& table, const core::snapshot& as_of) const
    {
        std::vector<core::change_id> found;
        for (const auto& [xid, each] : committed_) {
            for (const auto& [id, logged_on] : each.logged) {
                if (logged_on == table && as_of.sees(xid)) {
                    found.push_back(id);
                }
            }
        }
        return found;
    }

    const std::map<core::transaction_id, transaction>& committed() const { return committed_; }
    std::uint64_t time() const { return time_; }
    std::uint64_t committed_at(core::transaction_id xid) const { return committed_at_.at(xid); }
    bool must_precede(core::transaction_id first, core::transaction_id second) const
    {
        return committed_at_.at(first) < committed_.at(second).began;
    }

private:
    core::transaction_id next_xid_ = 700;
    core::change_id next_id_ = 1;
    std::uint64_t time_ = 0;
    std::map<core::transaction_id, transaction> open_;
    std::map<core::transaction_id, transaction> committed_;
    std::map<core::transaction_id, std::uint64_t> committed_at_;
};

// Everybody sees all of it.
inline view_spec view_of(const std::string& table, std::vector<policy::set_value_ptr> sets = {})
{
    const auto over = std::make_shared<const policy::table>(
        policy::table{table, {{"id", "bigint", policy::type_family::bigint}}, {"id"}, true});
    policy::rules all;
    all.tables[table].push_back({{}, {}, std::nullopt, {}});
    auto seen = policy::authorize(all, over, policy::identity{}, {});
    return {std::make_shared<const policy::visibility>(std::move(seen.value())), std::move(sets)};
}

inline std::string write(const core::change& change, const policy::effect*)
{
    return std::to_string(change.where.id);
}

// One bridge without threads: replies and publications wait in one queue, as they would for a shard's thread.
class bridge final : public gateway {
public:
    bridge(database& source, std::shared_ptr<const core::cursor_codec> codec, ring::limits recent, std::size_t page_size)
        : bridge(source, std::move(codec), recent, page_size, source.now().xmax)
    {
    }

    static constexpr std::size_t most_held = 10'000; // some twenty small publications

    // One that begins with the past: from everything below `first` that is not open still.
    bridge(database& source, std::shared_ptr<const core::cursor_codec> codec, ring::limits recent, std::size_t page_size, core::transaction_id first)
        : source_(source), codec_(std::move(codec)), page_size_(page_size), hub_(&write, recent), shard_(0, *this, &write, most_held), head_(source.now())
    {
        core::snapshot from{first, first, source.open()};
        std::erase_if(from.in_progress, [&](core::transaction_id xid) { return xid >= first; });
        from.xmin = from.in_progress.empty() ? first : from.in_progress.front();
        hub_.start(codec_, from, from == head_ ? std::vector<core::batch_ptr>() : source_.read({from, std::nullopt}, head_, page_size_));
    }

    shard& home() { return shard_; }

    // A set's value that was loaded from this database: superseded by the page whose changes concern it.
    void loaded(const policy::set_value_ptr& value) { loaded_.push_back(value); }

    // With the next publication.
    void supersede(std::vector<policy::set_value_ptr> sets) { superseded_ = std::move(sets); }

    // Reads a step and queues its publications; others may come in between.
    void follow()
    {
        if (unpublished_.empty()) {
            const core::snapshot target = source_.now();
            for (auto& page : source_.read({head_, std::nullopt}, target, page_size_)) {
                unpublished_.push_back(std::move(page));
            }
            older.push_back(head_);
            head_ = target;
        }
        const auto& changes = unpublished_.front()->changes;
        std::erase_if(loaded_, [&](const auto& each) {
            const auto value = each.lock();
            const bool ends = value && std::any_of(changes.begin(), changes.end(), [&](const core::change& change) {
                                  return value->may_be_changed_by(change);
                              });
            if (ends) {
                value->supersede();
                superseded_.push_back(value);
            }
            return !value || ends;
        });
        publication_ptr published = hub_.publish(std::move(unpublished_.front()), std::exchange(superseded_, {}));
        unpublished_.pop_front();
        queue_.push_back(published);
        auto parked = std::exchange(parked_, {});
        for (auto& [request, reply] : parked) {
            attach(0, std::move(request), std::move(reply));
        }
    }
    // Something that is in no log.
    void pass_on(const std::string& channel)
    {
        core::change message;
        message.op = message.cause = core::operation::message;
        message.channel = channel;
        queue_.push_back(hub_.pass_on(std::move(message)));
    }

    // A fail-over: the same changes, but cursors of another log.
    void replace(std::shared_ptr<const core::cursor_codec> codec, std::string reason)
    {
        codec_ = std::move(codec);
        unpublished_.clear();
        head_ = source_.now();
        const auto published = hub_.replace(codec_, head_, std::move(reason));
        queue_.push_back(published);
    }

    bool in_step() const { return !unpublished_.empty(); }

    // One, or so many publications that follow one upon the other.
    bool run_one(std::size_t together = 1)
    {
        if (queue_.empty()) {
            return false;
        }
        if (auto* const work = std::get_if<std::function<void()>>(&queue_.front())) {
            const auto does = std::move(*work);
            queue_.pop_front();
            does();
            return true;
        }
        std::vector<publication_ptr> published;
        while (published.size() < together && !queue_.empty() && std::holds_alternative<publication_ptr>(queue_.front())) {
            published.push_back(std::get<publication_ptr>(std::move(queue_.front())));
            queue_.pop_front();
        }
        shard_.publish(published);
        return true;
    }

    void attach(shard_id, attach_request request, std::function<void(attach_reply)> reply) override
    {
        if (auto made = hub_.attach(request)) {
            queue_.push_back([made = std::move(*made), reply = std::move(reply)] { reply(made); });
        } else {
            parked_.emplace_back(std::move(request), std::move(reply));
        }
    }
    void detach(shard_id, std::vector<view_id> views) override { hub_.detach(views); }
    std::unique_ptr<log_reading> read_log(shard_id, core::cursor from, std::shared_ptr<const core::cursor_codec> of,
                                          std::vector<view_spec> views) override
    {
        ++log_readings;
        return std::make_unique<reading>(*this, std::move(from), std::move(of), std::move(views));
    }

    // As of when the first page is asked for, which is later than whoever asks was authorized.
    struct given_rows final : row_reading {
        given_rows(bridge& owner, row_request wanted) : owner_(owner), wanted_(std::move(wanted)) {}
        void next(handler done) override
        {
            owner_.queue_.push_back([this, alive = std::weak_ptr(alive_), done = std::move(done)] {
                if (!alive.lock()) {
                    return;
                }
                if (owner_.rows_fail) {
                    done(core::failure{*owner_.rows_fail, "no rows"});
                    return;
                }
                if (!std::exchange(began_, true)) {
                    read();
                }
                const page given = pages_.front();
                pages_.pop_front();
                done(given);
            });
        }
        void read()
        {
            const core::snapshot as_of = owner_.source_.now();
            const std::string cursor = owner_.codec_->seal({as_of, std::nullopt});
            for (std::size_t view = 0; view < wanted_.views.size(); ++view) {
                pages_.push_back({.view = view, .rows = {}, .cursor = cursor});
                for (const core::change_id id : owner_.source_.rows(wanted_.views[view]->over().name, as_of)) {
                    if (pages_.back().count == owner_.rows_a_page) {
                        pages_.back().more = true;
                        pages_.push_back({.view = view, .rows = {}, .cursor = cursor});
                    }
                    pages_.back().rows += (pages_.back().count++ > 0 ? "," : "") + std::to_string(id);
                }
            }
        }
        bridge& owner_;
        row_request wanted_;
        bool began_ = false;
        std::deque<page> pages_;
        std::shared_ptr<int> alive_ = std::make_shared<int>();
    };
    std::unique_ptr<row_reading> read_rows(shard_id, row_request wanted) override
    {
        ++row_readings;
        return std::make_unique<given_rows>(*this, std::move(wanted));
    }
    std::size_t row_readings = 0;
    std::size_t rows_a_page = 3;
    std::optional<core::error_code> rows_fail;

    // What readings share with others that start earlier, as app::log_readings has it: from an older snapshot than
    // their own, and only the pages that hold something for them.
    std::vector<core::snapshot> older;
    // The next page begins a new pass, which starts where the step did.
    bool new_pass = false;
    // Nobody else reads what does not concern a reading, so that it does not see the rest of a transaction either.
    bool others_leave = false;
    std::size_t views() const { return hub_.views(); }

    std::size_t log_readings = 0;
    std::optional<core::error_code> log_fails;

private:
    struct reading final : log_reading {
        reading(bridge& owner, core::cursor from, std::shared_ptr<const core::cursor_codec> of, std::vector<view_spec> views)
            : owner_(owner), position_(std::move(from)), of_(std::move(of)), views_(std::move(views)), goes_on_(position_.inside.has_value())
        {
        }
        core::cursor start() const
        {
            core::cursor shared = position_;
            if (shared.inside && std::exchange(owner_.new_pass, false)) {
                shared.inside->last = {};
            } else if (!owner_.older.empty()) {
                const core::snapshot& one = owner_.older[owner_.log_readings % owner_.older.size()];
                if (position_.seen.includes(one)) {
                    shared.seen = one;
                    if (shared.inside) {
                        shared.inside->last.transaction_end -= std::min<core::change_id>(shared.inside->last.transaction_end, owner_.log_readings % 4);
                    }
                }
            }
            return shared;
        }
        bool concerned(const core::change& each) const
        {
            return std::any_of(views_.begin(), views_.end(), [&](const view_spec& view) {
                return see(view, each, 0, &write).has_value() || view.may_be_changed_by(each);
            });
        }
        void next(handler done) override
        {
            owner_.queue_.push_back([this, alive = std::weak_ptr(alive_), done = std::move(done)] {
                if (!alive.lock()) {
                    return;
                }
                if (of_ != owner_.codec_) {
                    done(core::failure{core::error_code::cursor_foreign, "another log"});
                    return;
                }
                if (owner_.log_fails) {
                    done(core::failure{*owner_.log_fails, "gone"});
                    return;
                }
                if (owner_.new_pass) {
                    pages_.clear();
                    done_ = false;
                }
                for (;;) {
                    const bool rest = position_.inside.has_value();
                    if (pages_.empty() && !done_) {
                        auto read = owner_.source_.read(start(), rest ? position_.inside->target : owner_.source_.now(), owner_.page_size_);
                        pages_.assign(read.begin(), read.end());
                        done_ = !rest;
                    }
                    if (pages_.empty()) {
                        done(page{nullptr, position_, owner_.codec_->seal(position_)});
                        return;
                    }
                    const auto batch = std::move(pages_.front());
                    pages_.pop_front();
                    const core::cursor before = std::exchange(position_, batch->position_from(position_));
                    const auto last = std::find_if(batch->changes.rbegin(), batch->changes.rend(), [&](const core::change& each) { return concerned(each); });
                    const bool any = last != batch->changes.rend();
                    if (position_ != before && ((goes_on_ && !owner_.others_leave) || any)) {
                        goes_on_ = batch->transaction_goes_on && ((any && last->xid == batch->changes.back().xid) || (goes_on_ && batch->is_part_of_transaction()));
                        done(page{std::make_shared<const chapter>(std::vector{batch}), before});
                        return;
                    }
                }
            });
        }
        bridge& owner_;
        core::cursor position_;
        std::shared_ptr<const core::cursor_codec> of_;
        std::vector<view_spec> views_;
        std::deque<core::batch_ptr> pages_;
        bool done_ = false;
        bool goes_on_;
        std::shared_ptr<int> alive_ = std::make_shared<int>();
    };

    std::vector<std::weak_ptr<const policy::set_value>> loaded_;
    std::vector<policy::set_value_ptr> superseded_;
    database& source_;
    std::shared_ptr<const core::cursor_codec> codec_;
    std::size_t page_size_;
    hub hub_;
    shard shard_;
    core::snapshot head_;
    std::deque<core::batch_ptr> unpublished_;
    std::deque<std::variant<publication_ptr, std::function<void()>>> queue_;
    std::vector<std::pair<attach_request, std::function<void(attach_reply)>>> parked_;
};

} // namespace rowcast::hub::model
