#include "net/event_stream.hpp"

#include <algorithm>
#include <utility>

#include "core/row.hpp"
#include "net/caller.hpp"
#include "protocol/server_message.hpp"

namespace rowcast::net {
namespace {

std::string quoted(std::string_view text)
{
    std::string out;
    core::append_quoted(out, text);
    return out;
}

} // namespace

event_stream::event_stream(hub::shard& home, const site& shared, const config::server& settings, session_count::place place,
                           subscription_request what, std::function<void()> ready)
    : home_(home)
    , shared_(shared)
    , settings_(settings)
    , place_(std::move(place))
    , what_(std::move(what))
    , mark_(shared.with, what_.who)
    , ready_(std::move(ready))
    , feed_(home, {settings.limits.subscriptions_per_session, settings.limits.send_buffer}, [this](auto) { ready_(); })
{
}

core::result<void> event_stream::open(std::string name, moment now)
{
    name_ = std::move(name);
    next_beat_ = now.steady + settings_.heartbeat;
    text_ = "retry: 2000\n\n";
    auto [after, reset] = mark_.take_off(what_.asked.after);
    return feed_.subscribe_together(what_.wanted, std::move(after), reset);
}

void event_stream::tick(moment now)
{
    if (over_) {
        return;
    }
    if (const auto fine = check_expiry(what_.who, now); !fine) {
        fail("", fine.error());
        return;
    }
    if (now.steady < next_beat_) {
        return;
    }
    next_beat_ = now.steady + settings_.heartbeat;
    if (!text_.empty() || feed_.has_output()) {
        return; // the client does not even take what is there
    }
    if (auto cursor = feed_.moved_on()) {
        const std::string marked = mark_.put_on(*cursor);
        write("cursor", R"({"cursor":)" + quoted(marked) + "}", marked);
    } else if (!wrote_) {
        text_ += ":\n\n";
    }
    wrote_ = false;
    ready_();
}

std::chrono::steady_clock::time_point event_stream::due(moment now) const
{
    const auto ends = what_.who.ends();
    return ends ? std::min(next_beat_, now.look_for(*ends)) : next_beat_;
}

void event_stream::reconsider()
{
    mark_ = cursor_mark(shared_.with, what_.who);
    for (const std::string& id : lost(what_, shared_.with)) {
        feed_.stop(id, hub::permissions_changed);
    }
}

void event_stream::check_admission()
{
    if (over_) {
        return;
    }
    if (auto fine = admit(what_.who, name_, shared_.with); !fine) {
        fail("", fine.error());
    }
}

void event_stream::say_goodbye(std::chrono::milliseconds reconnect)
{
    if (!over_) {
        text_ += "retry: " + std::to_string(reconnect.count()) + "\n\n";
        end();
    }
}

std::optional<std::string> event_stream::next()
{
    // One output at a time: what a slow client has not taken waits in the feed, which is bounded. Some have no words.
    while (text_.empty() && !over_) {
        const auto what = feed_.next({});
        if (!what) {
            break;
        }
        std::visit(
            [this](const auto& each) {
                if constexpr (!std::is_same_v<std::decay_t<decltype(each)>, hub::unsubscribed>) {
                    word(each);
                }
            },
            *what);
    }
    if (text_.empty()) {
        return std::nullopt;
    }
    wrote_ = true;
    return std::exchange(text_, {});
}

void event_stream::word(const hub::changes& what)
{
    const std::string cursor = mark_.put_on(what.cursor);
    for (std::size_t i = 0; i < what.events.size(); ++i) {
        std::string data;
        if (what_.asked.named) {
            protocol::append_event(data, {what.events[i].subs, what.events[i].text});
        } else {
            data.append("{").append(what.events[i].text);
        }
        const bool ends = i + 1 == what.events.size() && !what.more;
        write("change", data, ends ? std::string_view(cursor) : std::string_view());
    }
    if (what.events.empty() && !what.more) {
        write("cursor", R"({"cursor":)" + quoted(cursor) + "}", cursor);
    }
    shared_.tell(observe::events_sent{"sse", what.events.size(), text_.size(), what.logged, what.replayed});
}

// All subscriptions of a stream have one cursor, so the first answer is that of all.
void event_stream::word(const hub::subscribed& what)
{
    if (std::exchange(announced_, true)) {
        return;
    }
    if (what.what != hub::subscribed::status::live) {
        shared_.tell(observe::came_back{"sse", what.what == hub::subscribed::status::reset ? core::to_string(what.reason) : "resumed"});
    }
    if (begins_with_rows() && what.what != hub::subscribed::status::resumed) {
        // Without `id`: a client that is cut off in the middle of the rows gets all of them again.
        const bool lost = what.what == hub::subscribed::status::reset;
        write("reset", R"({"reason":)" + quoted(lost ? core::to_string(what.reason) : "snapshot") + "}");
        return;
    }
    const std::string cursor = mark_.put_on(what.cursor);
    if (what.what == hub::subscribed::status::reset) {
        write("reset", R"({"reason":)" + quoted(core::to_string(what.reason)) + R"(,"cursor":)" + quoted(cursor) + "}", cursor);
        return;
    }
    const bool resumed = what.what == hub::subscribed::status::resumed;
    write("cursor", R"({"cursor":)" + quoted(cursor) + R"(,"status":")" + (resumed ? "resumed" : "live") + "\"}", cursor);
}

bool event_stream::begins_with_rows() const
{
    return std::any_of(what_.wanted.begin(), what_.wanted.end(), [](const auto& each) { return each.snapshot; });
}

void event_stream::word(const hub::rows& what)
{
    std::string data = what_.asked.named ? R"({"id":)" + quoted(what.id) + "," : std::string("{");
    data += R"("rows":[)" + what.text + (what.more ? R"(],"more":true)" : R"(],"more":false)");
    const std::string cursor = mark_.put_on(what.cursor);
    if (!cursor.empty()) {
        data += R"(,"cursor":)" + quoted(cursor);
    }
    write("rows", data + "}", cursor);
}

void event_stream::word(const hub::resync& what)
{
    const bool last = feed_.subscriptions() == 0;
    std::string data = what_.asked.named ? R"({"id":)" + quoted(what.id) + "," : std::string("{");
    data += R"("reason":)" + quoted(what.reason) + "}";
    // The last one's place is of no use any more: a reconnect must not come upon the same resync again.
    if (last && begins_with_rows()) {
        text_ += "id: \n"; // forget the place: the reconnect is to begin with the rows again
        write("resync", data);
    } else {
        write("resync", data, last ? mark_.put_on(home_.cursor()) : std::string());
    }
    if (last) {
        end();
    }
}

void event_stream::word(const hub::refused& what)
{
    fail(what.id, what.why);
}

void event_stream::fail(std::string_view id, const core::failure& why)
{
    std::string data = protocol::error(what_.asked.named ? id : std::string_view(), why);
    write("error", data);
    end();
}

void event_stream::write(std::string_view event, std::string_view data, std::string_view id)
{
    text_.append("event: ").append(event).append("\n");
    if (!id.empty()) {
        text_.append("id: ").append(id).append("\n");
    }
    text_ += "data: ";
    // A json column may be spread over lines; they separate nothing but white space there.
    for (const char c : data) {
        text_ += c == '\n' || c == '\r' ? ' ' : c;
    }
    text_ += "\n\n";
}

void event_stream::end()
{
    over_ = true;
    ready_();
}

} // namespace rowcast::net
