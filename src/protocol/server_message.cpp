#include "protocol/server_message.hpp"

#include <utility>

#include "core/row.hpp"
#include "core/version.hpp"

namespace rowcast::protocol {
namespace {

constexpr std::size_t around_events = 96; // what `changes` has beside its events, id and cursor

// One JSON object, member by member.
class message {
public:
    explicit message(std::string_view type, std::size_t room = 0)
    {
        out_.reserve(room);
        out_.append("{\"type\":\"").append(type).append("\"");
    }

    message& with(std::string_view name, std::string_view text)
    {
        begin(name);
        core::append_quoted(out_, text);
        return *this;
    }
    message& raw(std::string_view name, std::string_view json)
    {
        begin(name);
        out_ += json;
        return *this;
    }
    message& unless_empty(std::string_view name, std::string_view text)
    {
        return text.empty() ? *this : with(name, text);
    }
    std::string end()
    {
        out_ += '}';
        return std::move(out_);
    }

private:
    void begin(std::string_view name) { out_.append(",\"").append(name).append("\":"); }

    std::string out_;
};

// Seconds as people write them: 25, or 0.2 in a test.
std::string seconds(std::chrono::milliseconds time)
{
    const auto whole = std::to_string(time.count() / 1000);
    const auto rest = time.count() % 1000;
    if (rest == 0) {
        return whole;
    }
    std::string fraction = std::to_string(1000 + rest).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    return whole + "." + fraction;
}

} // namespace

std::string welcome(std::string_view session, std::string_view cursor, std::chrono::milliseconds heartbeat)
{
    message said("welcome");
    said.with("session", session);
    said.unless_empty("cursor", cursor);
    said.raw("heartbeat", seconds(heartbeat));
    said.with("server", "rowcast/" + std::string(core::version()));
    return said.end();
}

std::string authenticated(std::optional<std::int64_t> expires)
{
    message said("authenticated");
    if (expires) {
        said.raw("expires", std::to_string(*expires));
    }
    return said.end();
}

std::string expiring(std::int64_t in_seconds)
{
    return message("expiring").raw("in", std::to_string(in_seconds)).end();
}

std::string subscribed(std::string_view id, std::string_view status, std::optional<core::error_code> reason,
                       std::string_view cursor)
{
    message said("subscribed");
    said.with("id", id);
    said.with("status", status);
    if (reason) {
        said.with("reason", core::to_string(*reason));
    }
    said.with("cursor", cursor);
    return said.end();
}

std::string rows(std::string_view id, std::string_view rows, bool more, std::string_view cursor)
{
    std::string list = "[";
    list.append(rows).append("]");
    return message("rows").with("id", id).raw("rows", list).raw("more", more ? "true" : "false").unless_empty("cursor", cursor).end();
}

std::string cursor_moved(std::string_view cursor)
{
    return message("cursor").with("cursor", cursor).end();
}

std::string resync(std::string_view id, std::string_view reason)
{
    return message("resync").with("id", id).with("reason", reason).end();
}

std::string unsubscribed(std::string_view id)
{
    return message("unsubscribed").with("id", id).end();
}

std::string pong(std::string_view id_json)
{
    message said("pong");
    if (!id_json.empty()) {
        said.raw("id", id_json);
    }
    return said.end();
}

std::string goodbye(std::string_view reason, std::chrono::milliseconds reconnect)
{
    return message("goodbye").with("reason", reason).raw("reconnect_ms", std::to_string(reconnect.count())).end();
}

std::string error(std::string_view id, const core::failure& why)
{
    const core::error_info& known = core::describe(why.code);
    message said("error");
    said.unless_empty("id", id);
    said.with("code", known.name);
    said.with("message", why.message.empty() ? known.sentence : std::string_view(why.message));
    return said.end();
}

void append_event(std::string& out, const addressed_event& event)
{
    out += "{\"subs\":";
    char before = '[';
    for (const std::string_view id : event.subscriptions) {
        out += std::exchange(before, ',');
        core::append_quoted(out, id);
    }
    out += "],";
    out += event.text;
}

changes_message::changes_message(std::string_view id, std::string_view cursor, std::size_t room)
    : out_(message("changes", room + id.size() + cursor.size() + around_events).unless_empty("id", id).with("cursor", cursor).raw("events", "[").end())
{
    out_.pop_back(); // the brace: events follow
}

void changes_message::add(const addressed_event& event)
{
    if (!std::exchange(first_, false)) {
        out_ += ',';
    }
    append_event(out_, event);
}

std::string changes_message::finish(bool more, bool live)
{
    out_ += more ? "],\"more\":true" : "],\"more\":false";
    out_ += live ? ",\"live\":true}" : "}";
    return std::move(out_);
}

} // namespace rowcast::protocol
