#include "app/log_pass.hpp"

#include <algorithm>
#include <cassert>
#include <set>
#include <string>
#include <unordered_set>

namespace rowcast::app {

bool may_share_a_pass(const core::cursor& one, const core::cursor& other)
{
    if (!one.inside || !other.inside) {
        return one.inside.has_value() == other.inside.has_value();
    }
    return one.inside->target == other.inside->target;
}

core::cursor common_start(const std::vector<core::cursor>& all)
{
    assert(!all.empty());
    core::cursor start = all.front();
    for (const core::cursor& each : all) {
        if (start.seen.includes(each.seen)) {
            start.seen = each.seen;
        }
        if (start.inside && each.inside->last < start.inside->last) {
            start.inside->last = each.inside->last;
        }
    }
    return start;
}

bool is_behind(const core::cursor& start, const core::cursor& position)
{
    return position.seen.includes(start.seen) && (!start.inside || start.inside->last <= position.inside->last);
}

void audience::add(std::size_t reading, const std::vector<hub::view_spec>& views)
{
    readings_ = std::max(readings_, reading + 1);
    for (const hub::view_spec& spec : views) {
        auto& taken = by_key_[spec.key()];
        if (!taken) {
            taken = std::make_unique<seat>();
            taken->view.id = by_id_.size();
            taken->view.spec = spec;
            by_id_.push_back(taken.get());
            index_.add(taken->view);
        }
        for (const policy::set_value_ptr& set : spec.sets) {
            sets_.add(*set, reading);
        }
        if (taken->readings.empty() || taken->readings.back() != reading) {
            taken->readings.push_back(reading);
        }
    }
}

postgres::log_filter audience::filter() const
{
    std::set<std::string> tables;
    std::set<std::string> channels;
    for (const seat* each : by_id_) {
        if (const auto* channel = std::get_if<hub::view_spec::channel>(&each->view.spec.target)) {
            channels.insert(channel->name);
        } else {
            tables.emplace(each->view.spec.table());
        }
    }
    for (std::string& each : sets_.tables()) {
        tables.insert(std::move(each));
    }
    return {{tables.begin(), tables.end()}, {channels.begin(), channels.end()}};
}

std::vector<audience::interest> audience::interests(const core::batch& page)
{
    std::vector<interest> of_views(by_id_.size());
    std::vector<interest> found(readings_);
    std::unordered_set<std::size_t> by_sets;
    for (const core::change& each : page.changes) {
        const bool goes_on = page.transaction_goes_on && each.xid == page.changes.back().xid;
        const interest now = goes_on ? interest::goes_on : interest::some;
        const auto raise = [now](interest& known) {
            const bool more = known < now;
            known = std::max(known, now);
            return more;
        };
        index_.candidates(each, [&](const hub::view& candidate) {
            if (raise(of_views[candidate.id])) {
                for (const std::size_t reading : by_id_[candidate.id]->readings) {
                    raise(found[reading]);
                }
            }
        });
        by_sets.clear();
        sets_.find(each, by_sets);
        for (const std::size_t reading : by_sets) {
            raise(found[reading]);
        }
    }
    return found;
}

} // namespace rowcast::app
