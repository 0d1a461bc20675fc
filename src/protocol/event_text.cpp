#include "protocol/event_text.hpp"

#include <vector>

#include "core/row.hpp"

namespace rowcast::protocol {
namespace {

constexpr std::size_t around_row = 256; // what an event mostly has beside its row

void append_string(std::string& out, std::string_view name, std::string_view text)
{
    out += ",\"";
    out += name;
    out += "\":";
    core::append_quoted(out, text);
}

void append_fields(std::string& out, std::string_view name, const std::vector<core::field>& fields)
{
    out += ",\"";
    out += name;
    out += "\":";
    append_object(out, fields);
}

void append_effect(std::string& out, const policy::effect& seen)
{
    const bool has_row = seen.op == core::operation::insert || seen.op == core::operation::update;
    if (has_row && !seen.truncated) {
        append_fields(out, "row", seen.row);
    }
    if (seen.old) {
        append_fields(out, "old", *seen.old);
    }
    if (seen.changed) {
        out += ",\"changed\":[";
        bool first = true;
        for (const std::string_view column : *seen.changed) {
            if (!first) {
                out += ',';
            }
            first = false;
            core::append_quoted(out, column);
        }
        out += ']';
    }
    append_fields(out, "key", seen.key);
    if (seen.truncated) {
        out += ",\"truncated\":true";
    }
}

} // namespace

void append_object(std::string& out, const std::vector<core::field>& fields)
{
    out += '{';
    bool first = true;
    for (const core::field& each : fields) {
        if (!first) {
            out += ',';
        }
        first = false;
        core::append_quoted(out, each.name);
        out += ':';
        out += each.value;
    }
    out += '}';
}

std::string event_text(const core::change& change, const policy::effect* seen)
{
    std::string out;
    out.reserve(around_row + change.after.json().size());
    // Identifiers are strings: JavaScript's numbers end at 2^53.
    if (!change.durable) {
        out += "\"durable\":false";
    } else {
        out += "\"id\":\"" + std::to_string(change.where.id) + '"';
    }
    if (change.op == core::operation::message) {
        append_string(out, "channel", change.channel);
        append_string(out, "event", change.event);
        out += ",\"payload\":";
        out += change.payload.empty() ? "null" : change.payload;
    } else {
        append_string(out, "table", change.table);
        append_string(out, "op", core::to_string(seen ? seen->op : change.op));
        append_string(out, "cause", core::to_string(change.cause));
        if (seen) {
            append_effect(out, *seen);
        }
    }
    append_string(out, "at", change.at);
    if (change.durable) {
        out += ",\"tx\":\"" + std::to_string(change.xid) + '"';
    }
    out += '}';
    return out;
}

} // namespace rowcast::protocol
