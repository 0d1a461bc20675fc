#include "hub/shard.hpp"

#include <algorithm>
#include <cassert>
#include <functional>
#include <utility>

#include "hub/feed.hpp"

namespace rowcast::hub {
namespace {

// What is gathered before it is handed out, but for one publication.
constexpr std::size_t most_parts = 64 * 1024;
constexpr std::size_t most_bytes = 256 * 1024;

} // namespace

void shard::publish(std::span<const publication_ptr> all)
{
    std::uint64_t handed_out = published_;
    for (const publication_ptr& published : all) {
        const bool stands_alone = !published->resync_all.empty() || !published->superseded.empty() || !unfinished_.empty();
        if (stands_alone) {
            hand_out();
        }
        cursor_ = published->cursor;
        published_ += published->memory;
        if (!published->resync_all.empty()) {
            std::vector<subscriber> everybody; // they leave as they are told
            subscribers_.for_each([&](const subscriber& each) { everybody.push_back(each); });
            for (const subscriber& each : everybody) {
                each.whose->resync(each.subscription, published->resync_all);
            }
            continue;
        }
        end_all_on(published->superseded);
        gather(published);
        if (!unfinished_.empty()) {
            close_transaction(published);
        } else if (published->batch->transaction_goes_on || parts_.size() > most_parts || published_ - handed_out > most_bytes) {
            hand_out();
            handed_out = published_;
        }
    }
    hand_out();
    limit_kept();
}

void shard::gather(const publication_ptr& published)
{
    for (const auto& [view, events] : published->events) {
        subscribers_.find(view, [&, &what = events](const subscriber& each) { parts_.push_back({each, &published, &what}); });
    }
}

// A feed has all its parts one behind the other, as it must before it may speak of a publication; and is visited once: with thousands of them
// none is in the processor's cache.
void shard::hand_out()
{
    last_.resize(all_.size(), none);
    for (std::size_t i = 0; i < parts_.size(); ++i) {
        std::size_t& last = last_[parts_[i].to.whose->place_];
        if (last == none) {
            firsts_.push_back(i);
        } else {
            parts_[last].next = i;
        }
        last = i;
    }
    for (const std::size_t first : firsts_) {
        last_[parts_[first].to.whose->place_] = none;
    }
    for (const std::size_t first : firsts_) {
        receiver& whose = *parts_[first].to.whose;
        for (std::size_t i = first; i != none; i = parts_[i].next) {
            whose.take(*parts_[i].published, parts_[i].to.subscription, *parts_[i].events);
        }
        if (whose.awaits_end_of_transaction()) {
            unfinished_.insert(&whose);
        }
        whose.told();
    }
    parts_.clear();
    firsts_.clear();
}

// Those who had a part of a transaction that went on.
void shard::close_transaction(const publication_ptr& published)
{
    const auto waiting = std::exchange(unfinished_, {});
    hand_out();
    for (receiver* each : waiting) {
        each->close_transaction(published);
        if (each->awaits_end_of_transaction()) {
            unfinished_.insert(each);
        }
        each->told();
    }
}

void shard::limit_kept()
{
    while (!keeping_.empty() && keeping_.begin()->first + most_held_ < published_) {
        receiver* const slowest = keeping_.begin()->second;
        keeping_.erase(keeping_.begin());
        if (const auto since = slowest->let_go(published_ - most_held_)) {
            keeping_.emplace(*since, slowest);
        }
    }
}

void shard::enter(receiver& added)
{
    added.place_ = all_.size();
    all_.push_back(&added);
}

void shard::leave(receiver& gone)
{
    all_.back()->place_ = gone.place_;
    all_[gone.place_] = all_.back();
    all_.pop_back();
}

standing shard::survey(std::size_t first, std::size_t most) const
{
    standing sum;
    for (std::size_t i = first; i < all_.size() && i - first < most; ++i) {
        sum.add(all_[i]->survey());
    }
    return sum;
}

void shard::add(view_id view, subscriber added)
{
    subscribers_.add(view, added);
}

void shard::remove(view_id view, subscriber removed)
{
    subscribers_.remove(view, removed);
}

void shard::add(const std::vector<policy::set_value_ptr>& sets, subscriber added)
{
    for (const policy::set_value_ptr& each : sets) {
        dependents_[each.get()].push_back(added);
    }
}

void shard::remove(const std::vector<policy::set_value_ptr>& sets, subscriber removed)
{
    for (const policy::set_value_ptr& each : sets) {
        const auto found = dependents_.find(each.get());
        std::erase(found->second, removed);
        if (found->second.empty()) {
            dependents_.erase(found);
        }
    }
}

void shard::end_all_on(const std::vector<policy::set_value_ptr>& superseded)
{
    for (const policy::set_value_ptr& each : superseded) {
        const auto found = dependents_.find(each.get());
        if (found == dependents_.end()) {
            continue;
        }
        const auto everybody = found->second; // they leave as they are told
        for (const subscriber& one : everybody) {
            one.whose->resync(one.subscription, permissions_changed);
        }
    }
}

} // namespace rowcast::hub
