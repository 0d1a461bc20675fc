#include "policy/visibility.hpp"

#include "policy/bound_node.hpp"

#include <algorithm>

namespace rowcast::policy {
namespace {

using names = std::vector<std::string>;

bool has(const std::optional<names>& columns, std::string_view name)
{
    return !columns || std::binary_search(columns->begin(), columns->end(), name);
}

void sort_unique(names& columns)
{
    std::sort(columns.begin(), columns.end());
    columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
}

void append_columns(std::string& text, const std::optional<names>& columns)
{
    if (!columns) {
        text += '*';
        return;
    }
    text += std::to_string(columns->size()) + "(";
    for (const std::string& each : *columns) {
        append_counted(text, each);
    }
    text += ')';
}

std::vector<core::field> key_of(const table& over, const core::row& row)
{
    std::vector<core::field> key;
    for (const std::string& name : over.key) {
        if (const auto value = row.find(name)) {
            key.push_back({name, *value});
        }
    }
    return key;
}

} // namespace

// Through which grants a row is seen; empty: it is not.
struct visibility::sight {
    std::vector<const grant*> through;

    explicit operator bool() const { return !through.empty(); }

    bool gives(std::string_view column) const
    {
        return std::any_of(through.begin(), through.end(),
                           [&](const grant* each) { return has(each->columns, column); });
    }

    bool gives_all(const names& columns) const
    {
        return std::all_of(columns.begin(), columns.end(), [&](const std::string& each) { return gives(each); });
    }
};

visibility::visibility(std::shared_ptr<const table> over, std::vector<grant> grants, bound_predicate filter,
                       std::optional<std::vector<std::string>> columns, bool old)
    : over_(std::move(over))
    , grants_(std::move(grants))
    , filter_(std::move(filter))
    , columns_(std::move(columns))
    , old_(old)
{
    filter_.columns(filter_columns_);
    sort_unique(filter_columns_);
    if (columns_) {
        sort_unique(*columns_);
    }
    for (grant& each : grants_) {
        if (each.columns) {
            sort_unique(*each.columns);
        }
    }
}

std::string visibility::text() const
{
    std::vector<std::string> texts;
    for (const grant& each : grants_) {
        std::string& text = texts.emplace_back();
        append_counted(text, each.where.text());
        append_columns(text, each.columns);
    }
    sort_unique(texts);

    std::string all;
    append_counted(all, over_->name);
    append_columns(all, over_->key);
    append_columns(all, texts);
    append_counted(all, filter_.text());
    append_columns(all, columns_);
    all += old_ ? "+old" : "";
    return all;
}

// A condition of the filter counts only where the row's own grants give its column: otherwise asking for
// {salary: {gte: 5000}} would tell, by which rows come, what nobody gave.
visibility::sight visibility::look(const core::row& row) const
{
    sight seen;
    if (!row.present() || filter_.evaluate(row) != truth::yes) {
        return seen;
    }
    for (const grant& each : grants_) {
        if (each.where.evaluate(row) == truth::yes) {
            seen.through.push_back(&each);
        }
    }
    return seen.gives_all(filter_columns_) ? seen : sight{};
}

bound_predicate::certainty visibility::look_at_part(const core::row& row) const
{
    using certainty = bound_predicate::certainty;
    const certainty filter = filter_.evaluate_part(row);
    sight surely;
    sight possibly;
    for (const grant& each : grants_) {
        const certainty held = each.where.evaluate_part(row);
        if (held == certainty::yes) {
            surely.through.push_back(&each);
        }
        if (held != certainty::no) {
            possibly.through.push_back(&each);
        }
    }
    if (filter == certainty::no || !possibly || !possibly.gives_all(filter_columns_)) {
        return certainty::no;
    }
    return filter == certainty::yes && surely && surely.gives_all(filter_columns_) ? certainty::yes : certainty::maybe;
}

std::vector<core::field> visibility::fields(const core::row& row, const sight& seen) const
{
    std::vector<core::field> shown;
    shown.reserve(row.size());
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (const core::field each = row[i]; has(columns_, each.name) && seen.gives(each.name)) {
            shown.push_back(each);
        }
    }
    return shown;
}

visibility::outcome visibility::see_part(const core::change& change) const
{
    const core::row& row = change.after.present() ? change.after : change.before;
    switch (look_at_part(row)) {
    case bound_predicate::certainty::no:
        return nothing{};
    case bound_predicate::certainty::maybe:
        return unknowable{};
    case bound_predicate::certainty::yes:
        break;
    }
    effect seen;
    seen.op = change.op;
    seen.truncated = true;
    seen.key = key_of(*over_, row);
    return seen;
}

visibility::outcome visibility::see_update(const core::change& change, const sight& before, const sight& after) const
{
    effect seen;
    seen.op = core::operation::update;
    seen.row = fields(change.after, after);
    const std::vector<core::field> was = fields(change.before, before);
    std::vector<core::field> old;
    std::vector<std::string_view> changed;

    // Both are in the row's order, so that what is looked for comes next, mostly.
    auto at = was.begin();
    const auto find_old = [&](std::string_view name) {
        const auto same = [&](const core::field& each) { return each.name == name; };
        auto found = std::find_if(at, was.end(), same);
        found = found == was.end() ? std::find_if(was.begin(), at, same) : found;
        return found != was.end() && same(*found) ? found : was.end();
    };
    for (const core::field& now : seen.row) {
        const auto then = find_old(now.name);
        if (then != was.end()) {
            at = then + 1;
            if (then->value == now.value) {
                continue;
            }
            old.push_back(*then);
        }
        changed.push_back(now.name);
    }
    // A column that is no longer given is gone from `row`, and the viewer must drop what they hold.
    for (const core::field& then : was) {
        const auto kept = [&](const core::field& now) { return now.name == then.name; };
        if (std::none_of(seen.row.begin(), seen.row.end(), kept)) {
            changed.push_back(then.name);
            old.push_back(then);
        }
    }
    if (changed.empty()) {
        return nothing{};
    }
    seen.key = key_of(*over_, change.after);
    seen.changed = std::move(changed);
    if (old_) {
        seen.old = std::move(old);
    }
    return seen;
}

visibility::outcome visibility::see(const core::change& change) const
{
    const bool of_a_row = change.op == core::operation::insert || change.op == core::operation::update ||
                          change.op == core::operation::remove;
    if (!of_a_row || change.table != over_->name) {
        return nothing{};
    }
    if (change.truncated) {
        return see_part(change);
    }
    const sight before = change.op == core::operation::insert ? sight{} : look(change.before);
    const sight after = change.op == core::operation::remove ? sight{} : look(change.after);
    if (before && after) {
        return see_update(change, before, after);
    }
    effect seen;
    if (after) {
        seen.op = core::operation::insert;
        seen.key = key_of(*over_, change.after);
        seen.row = fields(change.after, after);
        return seen;
    }
    if (before) {
        seen.op = core::operation::remove;
        seen.key = key_of(*over_, change.before);
        if (old_ && change.cause == core::operation::remove) {
            seen.old = fields(change.before, before);
        }
        return seen;
    }
    return nothing{};
}

std::vector<bound_predicate::equality> visibility::indexable(std::size_t most) const
{
    std::vector<bound_predicate::equality> each_grant;
    std::size_t values = 0;
    for (const grant& each : grants_) {
        auto condition = each.where.indexable(most - values);
        if (!condition) {
            each_grant.clear();
            break;
        }
        values += condition->values.size();
        each_grant.push_back(std::move(*condition));
    }
    auto filter = filter_.indexable(most);
    if (filter && (each_grant.empty() || filter->values.size() < values)) {
        return {std::move(*filter)};
    }
    return each_grant;
}

} // namespace rowcast::policy
