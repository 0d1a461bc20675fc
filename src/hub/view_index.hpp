#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/change.hpp"
#include "hub/view.hpp"
#include "policy/table.hpp"

namespace rowcast::hub {

// A view in the hub: its specification and how many subscriptions share it.
struct view {
    view_id id = 0;
    view_spec spec;
    std::size_t users = 0;
    std::uint64_t last_looked = 0; // the index's: a view found by two ways is visited once
};

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
        const auto once = [&](const std::vector<view*>& found) {
            for (view* each : found) {
                if (each->last_looked != look_) {
                    each->last_looked = look_;
                    visit(*each);
                }
            }
        };
        if (change.op == core::operation::message) {
            if (const auto found = channels_.find(change.channel); found != channels_.end()) {
                once(found->second);
            }
            return;
        }
        const auto found = tables_.find(change.table);
        if (found == tables_.end()) {
            return;
        }
        const by_table& views = found->second;
        if (looks_at_all(change)) {
            once(views.all);
            return;
        }
        once(views.unindexed);
        for (const auto& [column, by_value] : views.columns) {
            for (const core::row* row : {&change.after, &change.before}) {
                if (const std::vector<view*>* hits = by_value.find(column, *row)) {
                    once(*hits);
                }
            }
        }
    }

private:
    struct by_column {
        policy::type_family family = policy::type_family::other;
        std::unordered_map<std::string, std::vector<view*>> values;
        const std::vector<view*>* find(const std::string& column, const core::row& row) const;
    };
    struct by_table {
        std::vector<view*> all;
        std::vector<view*> unindexed;
        std::map<std::string, by_column> columns;
    };

    // Changes without the values of all columns, and those that concern the table as a whole.
    static bool looks_at_all(const core::change& change);

    std::unordered_map<std::string, by_table> tables_;
    std::unordered_map<std::string, std::vector<view*>> channels_;
    std::uint64_t look_ = 0;
};

} // namespace rowcast::hub
