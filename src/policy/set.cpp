#include "policy/set.hpp"

#include "policy/bound_node.hpp"
#include "policy/scalar.hpp"

#include <algorithm>

namespace rowcast::policy {
namespace {

// The column's value in a row, in canonical form; empty for null.
std::optional<std::string> key_in(const core::row& row, std::string_view column, type_family family)
{
    const auto json = row.find(column);
    return json ? std::optional(index_key(family, *json)) : std::nullopt;
}

} // namespace

std::string set_definition::text() const
{
    std::string out;
    append_counted(out, name);
    append_counted(out, query);
    for (const std::string& table : watch) {
        append_counted(out, table);
    }
    return out;
}

std::string set_call::key() const
{
    std::string out = of->text();
    out += '(';
    for (const std::string& argument : arguments) {
        append_counted(out, argument);
    }
    return out;
}

std::vector<std::string> set_keys(const set_plan& plan, const std::vector<std::string>& arguments)
{
    std::vector<std::string> keys;
    for (const set_dependency& each : plan) {
        keys.push_back(each.column.empty()
                           ? std::string()
                           : canonical_literal(each.family, arguments.at(each.argument)).value_or(std::string()));
    }
    return keys;
}

set_value::set_value(const set_call& call, std::uint64_t version, std::shared_ptr<const set_plan> plan,
                     std::vector<std::string> texts, bool has_null)
    : identity_(call.of->name + "#" + std::to_string(version))
    , plan_(std::move(plan))
    , keys_(set_keys(*plan_, call.arguments))
    , texts_(std::move(texts))
    , has_null_(has_null)
{
    std::sort(texts_.begin(), texts_.end());
    texts_.erase(std::unique(texts_.begin(), texts_.end()), texts_.end());
    texts_.shrink_to_fit();
    for (const std::string& each : texts_) {
        memory_ += 2 * (sizeof each + each.capacity()); // once more as values of a type
    }
}

set_value::members set_value::in(type_family family) const
{
    const std::lock_guard lock(mutex_);
    const auto [found, is_new] = by_family_.try_emplace(family);
    members& made = found->second;
    if (is_new) {
        std::vector<std::string> values;
        made.null = has_null_;
        for (const std::string& text : texts_) {
            if (auto value = canonical_literal(family, text)) {
                values.push_back(std::move(*value));
            } else {
                made.null = true;
            }
        }
        std::sort(values.begin(), values.end());
        values.erase(std::unique(values.begin(), values.end()), values.end());
        made.values = std::make_shared<const std::vector<std::string>>(std::move(values));
    }
    return made;
}

bool set_value::may_be_changed_by(const core::change& change) const
{
    for (std::size_t i = 0; i < plan_->size(); ++i) {
        const set_dependency& each = (*plan_)[i];
        if (each.table != change.table) {
            continue;
        }
        if (keys_[i].empty() || change.lacks_values()) {
            return true;
        }
        for (const core::row* row : {&change.after, &change.before}) {
            if (row->present() && key_in(*row, each.column, each.family).value_or(keys_[i]) == keys_[i]) {
                return true;
            }
        }
    }
    return false;
}

bool set_value::looks_at(std::string_view table) const
{
    return std::any_of(plan_->begin(), plan_->end(), [&](const set_dependency& each) { return each.table == table; });
}

void set_index::add(const set_plan& plan, const std::vector<std::string>& keys, std::size_t number)
{
    for (std::size_t i = 0; i < plan.size(); ++i) {
        by_table& table = tables_[plan[i].table];
        table.all.insert(number);
        if (keys[i].empty()) {
            table.unkeyed.insert(number);
            continue;
        }
        by_column& column = table.columns[plan[i].column];
        column.family = plan[i].family;
        column.keys[keys[i]].insert(number);
    }
}

void set_index::remove(const set_plan& plan, const std::vector<std::string>& keys, std::size_t number)
{
    for (std::size_t i = 0; i < plan.size(); ++i) {
        const auto table = tables_.find(plan[i].table);
        if (table == tables_.end()) {
            continue;
        }
        table->second.all.erase(number);
        table->second.unkeyed.erase(number);
        if (const auto column = table->second.columns.find(plan[i].column); column != table->second.columns.end()) {
            const auto found = column->second.keys.find(keys[i]);
            if (found != column->second.keys.end() && found->second.erase(number) != 0 && found->second.empty()) {
                column->second.keys.erase(found);
            }
        }
        if (table->second.all.empty()) {
            tables_.erase(table);
        }
    }
}

bool set_index::looks_at(std::string_view table) const
{
    return tables_.find(table) != tables_.end();
}

void set_index::find(const core::change& change, std::unordered_set<std::size_t>& found) const
{
    const auto at = tables_.find(change.table);
    if (at == tables_.end()) {
        return;
    }
    const by_table& table = at->second;
    if (change.lacks_values()) {
        found.insert(table.all.begin(), table.all.end());
        return;
    }
    found.insert(table.unkeyed.begin(), table.unkeyed.end());
    for (const auto& [name, column] : table.columns) {
        for (const core::row* row : {&change.after, &change.before}) {
            if (!row->present()) {
                continue;
            }
            const auto key = key_in(*row, name, column.family);
            if (!key) { // no longer captured, perhaps
                found.insert(table.all.begin(), table.all.end());
            } else if (const auto hits = column.keys.find(*key); hits != column.keys.end()) {
                found.insert(hits->second.begin(), hits->second.end());
            }
        }
    }
}

std::vector<std::string> set_index::tables() const
{
    std::vector<std::string> names;
    for (const auto& [name, each] : tables_) {
        names.push_back(name);
    }
    return names;
}

} // namespace rowcast::policy
