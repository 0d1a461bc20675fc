#include "hub/chapter.hpp"

#include <algorithm>
#include <iterator>

#include "hub/view_index.hpp"

namespace rowcast::hub {
namespace {

// How many columns of a table are indexed, some 32 bytes a change each: clients choose what they filter by, and the
// index must not outgrow the pages. Who filters by another looks at every change of the table.
constexpr std::size_t most_columns = 8;

void append(std::vector<chapter::place>& to, const std::vector<chapter::place>& all, chapter::place from, chapter::place before)
{
    const auto first = std::lower_bound(all.begin(), all.end(), from);
    to.insert(to.end(), first, std::lower_bound(first, all.end(), before));
}

} // namespace

std::vector<chapter::place> chapter::candidates(const view_spec& view, place from, place to) const
{
    index& known = indexed();
    places found;
    if (const auto* named = std::get_if<view_spec::channel>(&view.target)) {
        if (const auto on = known.channels.find(named->name); on != known.channels.end()) {
            append(found, on->second, from, to);
        }
    } else if (const auto over = known.tables.find(view.table()); over != known.tables.end()) {
        found = look_up(over->second, *std::get<0>(view.target), from, to);
    }
    const bool ends = view.is_superseded(); // which the first change tells it, whatever that is
    for (const auto& [name, changes] : known.tables) {
        if (ends || std::any_of(view.sets.begin(), view.sets.end(), [&](const auto& set) { return set->looks_at(name); })) {
            const auto first = std::lower_bound(changes.all.begin(), changes.all.end(), from);
            std::copy_if(first, std::lower_bound(first, changes.all.end(), to), std::back_inserter(found),
                         [&](place each) { return ends || view.may_be_changed_by(at(each)); });
        }
    }
    if (ends) {
        for (const auto& [name, messages] : known.channels) {
            append(found, messages, from, to);
        }
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
}

// What it has of tables and channels does not change any more; columns come when they are looked for.
chapter::index& chapter::indexed() const
{
    const std::lock_guard held(mutex_);
    if (index_) {
        return *index_;
    }
    auto made = std::make_unique<index>();
    for (place each; each.page < pages_.size(); ++each.page) {
        for (each.ordinal = 0; each.ordinal < pages_[each.page]->changes.size(); ++each.ordinal) {
            const core::change& change = at(each);
            if (change.op == core::operation::message) {
                made->channels[change.channel].push_back(each);
                continue;
            }
            by_table& changes = made->tables[change.table];
            changes.all.push_back(each);
            if (change.lacks_values()) {
                changes.of_everybody.push_back(each);
            }
        }
    }
    index_ = std::move(made);
    return *index_;
}

std::vector<chapter::place> chapter::look_up(by_table& changes, const policy::visibility& through, place from, place to) const
{
    places found;
    // To look up more values than there are changes takes longer than to look at the changes.
    const auto conditions = through.indexable(changes.all.size());
    append(found, conditions.empty() ? changes.all : changes.of_everybody, from, to);
    for (const auto& condition : conditions) {
        const values* const all = condition.values.empty() ? nullptr : find(changes, *condition.over);
        if (!condition.values.empty() && !all) {
            found.clear();
            append(found, changes.all, from, to);
            return found;
        }
        for (const std::string& value : condition.values) {
            const std::uint64_t hash = index_hash(value);
            for (auto each = std::lower_bound(all->begin(), all->end(), std::pair(hash, from)); each != all->end() && *each < std::pair(hash, to); ++each) {
                found.push_back(each->second);
            }
        }
    }
    return found;
}

// Null where there are enough of them. Does not change any more.
const chapter::values* chapter::find(by_table& changes, const policy::column& over) const
{
    const std::lock_guard held(mutex_);
    const column name(over.name, over.family);
    if (const auto there = changes.columns.find(name); there != changes.columns.end()) {
        return &there->second;
    }
    if (changes.columns.size() == most_columns) {
        return nullptr;
    }
    values& added = changes.columns[name];
    for (const place each : changes.all) {
        const core::change& change = at(each);
        for (const core::row* row : {&change.after, &change.before}) {
            if (const auto json = change.lacks_values() ? std::nullopt : row->find(over.name)) {
                added.emplace_back(index_hash(over.family, *json), each);
            }
        }
    }
    std::sort(added.begin(), added.end());
    added.erase(std::unique(added.begin(), added.end()), added.end());
    added.shrink_to_fit();
    return &added;
}

} // namespace rowcast::hub
