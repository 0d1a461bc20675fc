#include "protocol/client_message.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "core/cursor.hpp"
#include "core/excerpt.hpp"
#include "core/nearest.hpp"
#include "protocol/json.hpp"

namespace rowcast::protocol {
namespace {

using core::error_code;
using core::excerpt;
using core::failure;
using core::result;

constexpr std::array<std::string_view, 4> types{"auth", "subscribe", "unsubscribe", "ping"};
constexpr std::array<std::string_view, 2> of_auth{"type", "token"};
constexpr std::array<std::string_view, 9> of_table{"type",    "id",  "table",    "events", "where",
                                                   "columns", "old", "snapshot", "after"};
constexpr std::array<std::string_view, 4> of_channel{"type", "id", "channel", "after"};
constexpr std::array<std::string_view, 2> of_id{"type", "id"};

failure bad(std::string message)
{
    return {error_code::bad_request, std::move(message)};
}

result<void> only(const core::object& message, std::string_view type, std::span<const std::string_view> known)
{
    for (const auto& [name, ignored] : message) {
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            return failure{error_code::unknown_member,
                           "a message of type '" + std::string(type) + "' has no member " + excerpt(name) +
                               core::did_you_mean(name, known)};
        }
    }
    return {};
}

result<std::string> text(const core::value& message, std::string_view name, std::size_t longest)
{
    const core::value* found = message.find(name);
    if (!found) {
        return bad(excerpt(name) + " is missing");
    }
    const std::string* what = found->as_string();
    if (!what) {
        return bad(excerpt(name) + " must be a string, not " + std::string(found->kind()));
    }
    if (auto fine = check_name(name, *what, longest); !fine) {
        return fine.error();
    }
    return *what;
}

result<bool> flag(const core::value& message, std::string_view name)
{
    const core::value* found = message.find(name);
    if (!found) {
        return false;
    }
    if (const bool* what = found->as_bool()) {
        return *what;
    }
    return bad(excerpt(name) + " must be true or false, not " + std::string(found->kind()));
}

// Calls `take` with each string of the list of that name, where it is there.
template <class Take>
result<void> strings(const core::value& message, std::string_view name, Take take)
{
    const core::value* found = message.find(name);
    if (!found) {
        return {};
    }
    const core::list* items = found->as_list();
    if (!items || items->empty()) {
        return bad(excerpt(name) + " must be a list of at least one string" +
                   (items ? "" : ", not " + std::string(found->kind())));
    }
    for (const core::value& item : *items) {
        const std::string* what = item.as_string();
        if (!what) {
            return bad(excerpt(name) + " must be a list of strings, but has " + std::string(item.kind()));
        }
        if (result<void> taken = take(*what); !taken) {
            return taken;
        }
    }
    return {};
}

result<wish::table> table(const core::value& message)
{
    wish::table to;
    auto name = text(message, "table", longest_name);
    if (!name) {
        return name.error();
    }
    to.name = *name;
    const auto events = strings(message, "events", [&](const std::string& event) -> result<void> {
        auto op = parse_event(event);
        if (!op) {
            return op.error();
        }
        to.events.insert(*op);
        return {};
    });
    if (!events) {
        return events.error();
    }
    std::vector<std::string> names;
    const auto columns = strings(message, "columns", [&](const std::string& column) { return add_column(names, column); });
    if (!columns) {
        return columns.error();
    }
    if (!names.empty()) {
        to.wanted.columns = std::move(names);
    }
    if (const core::value* where = message.find("where")) {
        auto filter = policy::predicate::parse(*where, false);
        if (!filter) {
            return filter.error();
        }
        to.wanted.where = *filter;
    }
    auto old = flag(message, "old");
    if (!old) {
        return old.error();
    }
    to.wanted.old = *old;
    return to;
}

result<client_message> subscribe(const core::value& message)
{
    const bool to_channel = message.find("channel") != nullptr;
    if (to_channel && message.find("table")) {
        return bad("a subscription is to a 'table' or to a 'channel', not to both");
    }
    if (!to_channel && !message.find("table")) {
        // A misspelt member explains the missing one better than the other way round.
        if (auto known = only(*message.as_object(), "subscribe", of_table); !known) {
            return known.error();
        }
        return bad("a subscription needs a 'table' or a 'channel'");
    }
    const auto members = to_channel ? std::span<const std::string_view>(of_channel) : std::span<const std::string_view>(of_table);
    if (auto known = only(*message.as_object(), "subscribe", members); !known) {
        return known.error();
    }
    wish wanted;
    auto id = text(message, "id", longest_id);
    if (!id) {
        return id.error();
    }
    wanted.id = *id;
    if (to_channel) {
        auto name = text(message, "channel", longest_name);
        if (!name) {
            return name.error();
        }
        wanted.to = wish::channel{*name};
    } else {
        auto to = table(message);
        if (!to) {
            return to.error();
        }
        wanted.to = std::move(*to);
    }
    auto snapshot = flag(message, "snapshot");
    if (!snapshot) {
        return snapshot.error();
    }
    wanted.snapshot = *snapshot;
    if (message.find("after")) {
        auto after = text(message, "after", core::cursor_codec::longest);
        if (!after) {
            return after.error();
        }
        wanted.after = *after;
    }
    return subscribe_message{std::move(wanted)};
}

result<client_message> ping(const core::value& message)
{
    ping_message said;
    if (const core::value* id = message.find("id")) {
        if (!id->as_string() && !id->as_number()) {
            return bad("'id' must be a number or a string, not " + std::string(id->kind()));
        }
        said.id = to_json(*id);
        if (said.id.size() > longest_id) {
            return bad("'id' is longer than " + std::to_string(longest_id) + " bytes");
        }
    }
    return said;
}

result<client_message> parse(const core::value& message)
{
    const core::value* type = message.find("type");
    if (!type || !type->as_string()) {
        return failure{error_code::unknown_type, "the message has no 'type': it needs one of auth, subscribe, unsubscribe, ping"};
    }
    const std::string& name = *type->as_string();
    if (name == "subscribe") {
        return subscribe(message);
    }
    if (name == "auth") {
        if (auto known = only(*message.as_object(), name, of_auth); !known) {
            return known.error();
        }
        auto token = text(message, "token", longest_token);
        return token ? result<client_message>(auth_message{*token}) : token.error();
    }
    if (name == "unsubscribe") {
        if (auto known = only(*message.as_object(), name, of_id); !known) {
            return known.error();
        }
        auto id = text(message, "id", longest_id);
        return id ? result<client_message>(unsubscribe_message{*id}) : id.error();
    }
    if (name == "ping") {
        if (auto known = only(*message.as_object(), name, of_id); !known) {
            return known.error();
        }
        return ping(message);
    }
    return failure{error_code::unknown_type,
                   "no message has the type " + excerpt(name) + core::did_you_mean(name, types)};
}

} // namespace

std::variant<client_message, bad_message> parse_client_message(std::string_view text)
{
    auto tree = parse_json(text);
    if (!tree) {
        return bad_message{{}, tree.error()};
    }
    if (!tree->as_object()) {
        return bad_message{{}, {error_code::malformed, "a message is a JSON object, not " + std::string(tree->kind())}};
    }
    auto message = parse(*tree);
    if (message) {
        return std::move(*message);
    }
    const core::value* id = tree->find("id");
    const std::string* readable = id ? id->as_string() : nullptr;
    return bad_message{readable && readable->size() <= longest_id ? *readable : std::string(), message.error()};
}

} // namespace rowcast::protocol
