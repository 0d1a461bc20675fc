#include "cli/change_printer.hpp"

#include "cli/text_table.hpp"
#include "policy/visibility.hpp"
#include "protocol/event_text.hpp"

#include <algorithm>
#include <optional>

namespace rowcast::cli {

namespace {

// Wider values are cut: a line is for reading, --json is for the whole.
constexpr std::size_t widest_value = 48;
constexpr std::size_t longest_run = 200;

using core::operation;

style colour_of(operation op)
{
    switch (op) {
    case operation::insert:
        return style::green;
    case operation::update:
        return style::yellow;
    case operation::remove:
    case operation::truncate:
        return style::red;
    case operation::message:
    case operation::resync:
        break;
    }
    return style::cyan;
}

bool is_number(std::string_view json)
{
    return !json.empty() && (json[0] == '-' || (json[0] >= '0' && json[0] <= '9'));
}

std::string shown(std::string_view json)
{
    const std::optional<std::string> text = core::decode_string(json);
    return shortened(printable(text ? std::string_view(*text) : json), widest_value);
}

text_table::cell value_cell(std::optional<std::string_view> json)
{
    if (!json) {
        return {};
    }
    if (*json == "null") {
        return {"null", style::dim};
    }
    return {shown(*json), style::plain, is_number(*json)};
}

const core::row& row_of(const core::change& change)
{
    return change.op == operation::remove ? change.before : change.after;
}

std::string time_of(const std::string& at)
{
    return at.size() > 23 ? at.substr(11, 12) : at;
}

bool same_kind(const core::change& left, const core::change& right)
{
    return left.op == right.op && left.cause == right.cause && left.table == right.table && left.xid == right.xid &&
           left.truncated == right.truncated;
}

bool has_rows(const core::change& change)
{
    return change.op == operation::insert || change.op == operation::update || change.op == operation::remove;
}

bool contains(const std::vector<std::string>& names, std::string_view name)
{
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool has_changed(const core::change& change, std::string_view column)
{
    return change.before.present() && change.before.find(column) != change.after.find(column);
}

// All columns, or those of the key and those that changed in any of the rows.
std::vector<std::string> columns_of(const std::vector<const core::change*>& changes,
                                    const std::vector<std::string>& key)
{
    std::vector<std::string> columns;
    for (const core::change* each : changes) {
        const core::row& row = row_of(*each);
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string_view name = row[i].name;
            const bool wanted = each->op != operation::update || contains(key, name) || has_changed(*each, name);
            if (wanted && !contains(columns, name)) {
                columns.emplace_back(name);
            }
        }
    }
    return columns;
}

std::vector<core::field> fields_of(const core::row& row)
{
    std::vector<core::field> fields;
    for (std::size_t i = 0; i < row.size(); ++i) {
        fields.push_back(row[i]);
    }
    return fields;
}

} // namespace

std::string change_printer::print(const std::vector<const core::change*>& changes)
{
    std::string out;
    for (auto first = changes.begin(); first != changes.end();) {
        const auto last =
            std::find_if(first, changes.end(), [&](const core::change* each) { return !same_kind(**first, *each); });
        const auto end = std::min(last, first + static_cast<std::ptrdiff_t>(std::min<std::size_t>(
                                                    longest_run, static_cast<std::size_t>(last - first))));
        if ((*first)->xid != transaction_) {
            out += heading(**first);
            transaction_ = (*first)->xid;
        }
        out += block(run(first, end));
        first = end;
    }
    return out;
}

std::string change_printer::heading(const core::change& first)
{
    return (transaction_ == 0 ? "" : "\n") +
           paint_(style::dim, "-- transaction " + std::to_string(first.xid) + ", " + printable(time_of(first.at))) +
           "\n";
}

std::string change_printer::block(const run& changes) const
{
    const core::change& first = *changes.front();
    const std::string name = std::string(core::to_string(first.op));
    if (has_rows(first)) {
        return rows_block(changes);
    }
    std::string out;
    for (const core::change* each : changes) {
        out += " " + paint_(colour_of(each->op), name) + " ";
        if (each->op == operation::message) {
            out += printable(each->channel) + " " + printable(each->event) + " " + printable(each->payload) + "\n";
        } else {
            out += printable(each->table) + (each->op == operation::resync ? " (" + printable(each->event) + ")" : "") +
                   "\n";
        }
    }
    return out;
}

std::string change_printer::rows_block(const run& changes) const
{
    const core::change& first = *changes.front();
    const std::vector<std::string> key = keys_(first.table);
    std::string out = " " + paint_(colour_of(first.op), core::to_string(first.op)) + " " + printable(first.table);
    if (first.cause != first.op) {
        out += paint_(style::dim, " (by " + std::string(core::to_string(first.cause)) + ")");
    }
    if (first.truncated) {
        out += paint_(style::dim, " (too large for the log: key only)");
    }
    out += "\n";

    const std::vector<std::string> columns = columns_of(changes, key);
    std::vector<std::string> header;
    for (const std::string& each : columns) {
        header.push_back(shortened(printable(each), widest_value));
    }
    text_table table(header);
    for (const core::change* each : changes) {
        std::vector<text_table::cell> cells;
        for (const std::string& column : columns) {
            text_table::cell cell = value_cell(row_of(*each).find(column));
            if (each->op == operation::update && has_changed(*each, column)) {
                const auto before = each->before.find(column);
                cell.text = (before ? shown(*before) : "") + " → " + cell.text;
                cell.look = style::yellow;
            }
            cells.push_back(std::move(cell));
        }
        table.add(std::move(cells));
    }
    return columns.empty() ? out : out + table.print(paint_, width_);
}

std::string change_json(const core::change& change, const std::vector<std::string>& key)
{
    if (!has_rows(change)) {
        std::string text = "{" + protocol::event_text(change, nullptr);
        if (change.op == operation::resync) {
            text.pop_back();
            text += ",\"reason\":";
            core::append_quoted(text, change.event);
            text += "}";
        }
        return text;
    }
    policy::effect all;
    all.op = change.op;
    all.truncated = change.truncated;
    for (const std::string& each : key) {
        if (const auto value = row_of(change).find(each)) {
            all.key.push_back({each, *value});
        }
    }
    if (change.op != operation::remove) {
        all.row = fields_of(change.after);
    }
    if (change.op == operation::update) {
        std::vector<core::field> old;
        std::vector<std::string_view> names;
        for (const core::field& each : fields_of(change.before)) {
            if (has_changed(change, each.name)) {
                old.push_back(each);
                names.push_back(each.name);
            }
        }
        all.old = std::move(old);
        all.changed = std::move(names);
    } else if (change.op == operation::remove) {
        all.old = fields_of(change.before);
    }
    return "{" + protocol::event_text(change, &all);
}

} // namespace rowcast::cli
