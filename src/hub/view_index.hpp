#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/change.hpp"
#include "hub/key_table.hpp"
#include "hub/view.hpp"
#include "policy/table.hpp"

namespace rowcast::hub {

// A view in the hub: its specification and how many subscriptions share it.
struct view {
    view_id id = 0;
    view_spec spec;
    std::size_t users = 0;
    // The index's own: a view found by two ways is visited once, and one of a million is found at once when it leaves.
    std::uint64_t last_looked = 0;
    std::size_t place = 0;
};

// Of a value in canonical form, and of a column's in raw JSON: by it the views that may show a row, and the rows that a
// view may show, are found.
inline std::uint64_t index_hash(const std::string& value)
{
    return std::hash<std::string>()(value);
}
inline std::uint64_t index_hash(policy::type_family family, std::string_view json)
{
    return index_hash(policy::index_key(family, json));
}

// Finds the views that a change may concern, without asking each: views whose rows all satisfy `column = value` are
// found by hash, so that 100,000 users who each watch `owner_id = me` cost a change one look-up. The rest are a list a
// table. One thread.
class view_index {
public:
    // The view must stay where it is until it is removed.
    void add(view& added);
    void remove(view& removed);

    // Calls `visit(view&)` once for each view that may be concerned.
    template <class Visit>
    void candidates(const core::change& change, Visit visit)
    {
        ++look_;
        const auto once = [&](view& found) {
            if (found.last_looked != look_) {
                found.last_looked = look_;
                visit(found);
            }
        };
        const auto all = [&](const std::vector<view*>& found) { std::for_each(found.begin(), found.end(), [&](view* each) { once(*each); }); };
        if (change.op == core::operation::message) {
            if (const auto found = channels_.find(change.channel); found != channels_.end()) {
                all(found->second);
            }
            return;
        }
        const auto found = tables_.find(change.table);
        if (found == tables_.end()) {
            return;
        }
        const by_table& table = found->second;
        if (change.lacks_values()) {
            all(table.all);
            return;
        }
        all(table.unindexed);
        for (const auto& [column, by_value] : table.columns) {
            for (const core::row* row : {&change.after, &change.before}) {
                by_value.find(column, *row, once);
            }
        }
    }

private:
    struct by_column {
        policy::type_family family = policy::type_family::other;
        // By the hash of a value: a view that another value leads to, too, is only looked at in vain.
        key_table<view*> values;

        template <class Visit>
        void find(const std::string& column, const core::row& row, const Visit& visit) const
        {
            if (const auto json = row.find(column)) {
                values.find(index_hash(family, *json), [&](view* each) { visit(*each); });
            }
        }
    };
    struct by_table {
        std::vector<view*> all;
        std::vector<view*> unindexed;
        std::map<std::string, by_column> columns;
    };

    std::unordered_map<std::string, by_table> tables_;
    std::unordered_map<std::string, std::vector<view*>> channels_;
    std::uint64_t look_ = 0;
};

} // namespace rowcast::hub
