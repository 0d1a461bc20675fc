#include "net/poll.hpp"

#include <utility>

#include "core/row.hpp"
#include "net/caller.hpp"
#include "protocol/server_message.hpp"

namespace rowcast::net {
namespace {

using namespace std::chrono_literals;

// A catch-up from the log takes its time, also where the client would not wait for something new.
constexpr auto least_wait = 10s;
constexpr std::size_t most_bytes = 4 * 1024 * 1024;

} // namespace

poll::poll(hub::shard& home, const site& shared, const config::server& settings, subscription_request what,
           std::function<void()> ready)
    : home_(home)
    , shared_(shared)
    , what_(std::move(what))
    , mark_(shared.with, what_.who)
    , feed_(home, {settings.limits.subscriptions_per_session, settings.limits.send_buffer}, [ready = std::move(ready)](auto) { ready(); })
{
}

std::optional<answer> poll::open(time now)
{
    deadline_ = now + (what_.asked.wait > 0s ? what_.asked.wait : least_wait);
    auto [after, reset] = mark_.take_off(what_.asked.after);
    if (auto subscribed = feed_.subscribe_together(what_.wanted, std::move(after), reset); !subscribed) {
        return refuse(subscribed.error());
    }
    return std::nullopt;
}

void poll::reconsider()
{
    mark_ = cursor_mark(shared_.with, what_.who);
    const auto ended = lost(what_, shared_.with);
    if (ended.empty()) {
        return;
    }
    if (count_ == 0) {
        for (const std::string& id : ended) {
            feed_.stop(id, hub::permissions_changed);
        }
        return;
    }
    // What has been gathered is not told apart any more: all begin anew.
    events_.clear();
    count_ = 0;
    logged_.reset();
    for (const auto& each : what_.wanted) {
        feed_.stop(each.id, hub::permissions_changed);
    }
}

std::optional<answer> poll::check_admission() const
{
    const auto fine = admit(what_.who, "", shared_.with);
    return fine ? std::nullopt : std::optional(refuse(fine.error()));
}

bool poll::is_full() const
{
    return count_ >= what_.asked.limit || events_.size() >= most_bytes;
}

std::optional<answer> poll::step(time now)
{
    while (!is_full()) {
        auto what = feed_.next({what_.asked.limit - count_, most_bytes - events_.size()});
        if (!what) {
            break;
        }
        if (auto done = take(*what)) {
            return done;
        }
    }
    const bool something = count_ > 0 || !resyncs_.empty();
    const bool waited = feed_.caught_up() && what_.asked.wait == 0s;
    if (is_full() || (something && feed_.caught_up()) || waited || now >= deadline_) {
        return finish();
    }
    return std::nullopt;
}

std::optional<answer> poll::take(hub::output& what)
{
    if (const auto* said = std::get_if<hub::subscribed>(&what)) {
        if (said->what == hub::subscribed::status::reset) {
            // Each poll has a cursor: only what is lost is worth telling.
            shared_.tell(observe::came_back{"poll", core::to_string(said->reason), false});
            return refuse({said->reason, said->reason == core::error_code::cursor_malformed
                                             ? ""
                                             : "read the rows anew and go on from a new cursor (a request without 'after')"});
        }
        cursor_ = said->cursor;
        return what_.asked.after ? std::nullopt : std::optional(finish());
    }
    if (const auto* changed = std::get_if<hub::changes>(&what)) {
        for (const auto& entry : changed->events) {
            events_ += count_++ == 0 ? "" : ",";
            if (what_.asked.named) {
                protocol::append_event(events_, {entry.subs, entry.text});
            } else {
                events_.append("{").append(entry.text);
            }
        }
        if (changed->logged && (!logged_ || *changed->logged < *logged_)) {
            logged_ = changed->logged;
        }
        cursor_ = changed->cursor;
        more_ = changed->more;
        return std::nullopt;
    }
    if (const auto* gone = std::get_if<hub::resync>(&what)) {
        resyncs_ += resyncs_.empty() ? "{" : ",{";
        if (what_.asked.named) {
            resyncs_ += R"("id":)";
            core::append_quoted(resyncs_, gone->id);
            resyncs_ += ',';
        }
        resyncs_ += R"("reason":)";
        core::append_quoted(resyncs_, gone->reason);
        resyncs_ += '}';
        if (feed_.subscriptions() == 0 && !home_.cursor().empty()) {
            cursor_ = home_.cursor(); // the next poll must not come upon the same resync again
            more_ = false;
        }
        return std::nullopt;
    }
    if (const auto* refused = std::get_if<hub::refused>(&what)) {
        return refuse(refused->why);
    }
    return std::nullopt;
}

answer poll::finish()
{
    if (auto newer = feed_.moved_on(); newer && !more_) {
        cursor_ = *newer;
    }
    if (cursor_.empty()) {
        return refuse({core::error_code::unavailable, "the changes since the cursor could not be read in time; ask again"});
    }
    // More of the transaction, or simply more: either way the client asks again at once.
    const bool more = more_ || (what_.asked.after && !feed_.caught_up());
    answer out;
    out.body = R"({"cursor":)";
    core::append_quoted(out.body, mark_.put_on(cursor_));
    out.body += R"(,"events":[)" + events_ + "]";
    if (!resyncs_.empty()) {
        out.body += R"(,"resync":[)" + resyncs_ + "]";
    }
    out.body += more ? R"(,"more":true})" : R"(,"more":false})";
    shared_.tell(observe::events_sent{"poll", count_, out.body.size(), logged_, true});
    return out;
}

answer poll::cut_short()
{
    return cursor_.empty() ? refuse({core::error_code::shutdown, ""}) : finish();
}

} // namespace rowcast::net
