#include "hub/view_index.hpp"

#include <algorithm>

namespace rowcast::hub {
namespace {

// The order does not matter; removing from a list of 100,000 that share everything must still not be felt.
void erase(std::vector<view*>& from, view* what)
{
    const auto found = std::find(from.rbegin(), from.rend(), what);
    if (found != from.rend()) {
        *found = from.back();
        from.pop_back();
    }
}

} // namespace

void view_index::add(view& added)
{
    if (const auto* channel = std::get_if<view_spec::channel>(&added.spec.target)) {
        channels_[channel->name].push_back(&added);
        return;
    }
    const policy::visibility& through = *std::get<0>(added.spec.target);
    by_table& views = tables_[through.over().name];
    added.place = views.all.size();
    views.all.push_back(&added);
    const auto conditions = through.indexable();
    if (conditions.empty()) {
        views.unindexed.push_back(&added);
    }
    for (const auto& condition : conditions) {
        if (condition.values.empty()) {
            continue;
        }
        by_column& indexed = views.columns[condition.over->name];
        indexed.family = condition.over->family;
        for (const std::string& value : condition.values) {
            indexed.values.add(index_hash(value), &added);
        }
    }
}

void view_index::remove(view& removed)
{
    if (const auto* channel = std::get_if<view_spec::channel>(&removed.spec.target)) {
        const auto found = channels_.find(channel->name);
        erase(found->second, &removed);
        if (found->second.empty()) {
            channels_.erase(found);
        }
        return;
    }
    const policy::visibility& through = *std::get<0>(removed.spec.target);
    const auto table = tables_.find(through.over().name);
    by_table& views = table->second;
    views.all.back()->place = removed.place;
    views.all[removed.place] = views.all.back();
    views.all.pop_back();
    erase(views.unindexed, &removed);
    for (const auto& condition : through.indexable()) {
        if (condition.values.empty()) {
            continue;
        }
        const auto indexed = views.columns.find(condition.over->name);
        auto& values = indexed->second.values;
        for (const std::string& value : condition.values) {
            values.remove(index_hash(value), &removed);
        }
        if (values.empty()) {
            views.columns.erase(indexed);
        }
    }
    if (views.all.empty()) {
        tables_.erase(table);
    }
}

} // namespace rowcast::hub
