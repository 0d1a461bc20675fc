#include "hub/shard.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace rowcast::hub {

void shard::publish(const publication_ptr& published)
{
    cursor_ = published->cursor;
    published_ += published->memory;
    if (!published->resync_all.empty()) {
        std::vector<subscriber> everybody; // they leave as they are told
        subscribers_.for_each([&](const subscriber& each) { everybody.push_back(each); });
        for (const subscriber& each : everybody) {
            each.whose->resync(each.subscription, published->resync_all);
        }
        return;
    }
    end_all_on(published->superseded);
    const auto waiting = std::exchange(unfinished_, {});
    for (const auto& [view, events] : published->events) {
        subscribers_.find(view, [&, &what = events](const subscriber& each) {
            each.whose->take(published, each.subscription, what);
            if (each.whose->awaits_end_of_transaction()) {
                unfinished_.insert(each.whose);
            }
        });
    }
    for (receiver* each : waiting) {
        each->close_transaction(published);
        if (each->awaits_end_of_transaction()) {
            unfinished_.insert(each);
        }
    }
    limit_kept();
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
            one.whose->resync(one.subscription, "permissions_changed");
        }
    }
}

} // namespace rowcast::hub
