#include "net/conversation.hpp"

#include <algorithm>
#include <utility>

#include "net/caller.hpp"
#include "net/offer.hpp"
#include "protocol/server_message.hpp"

namespace rowcast::net {
namespace {

using core::error_code;
using core::failure;

constexpr std::int64_t warning_seconds = 30; // before the token expires

std::string_view status_name(hub::subscribed::status what)
{
    switch (what) {
    case hub::subscribed::status::live: return "live";
    case hub::subscribed::status::resumed: return "resumed";
    case hub::subscribed::status::reset: return "reset";
    }
    return "";
}

} // namespace

conversation::conversation(hub::shard& home, changes_text& words, const site& shared, const config::server& settings,
                           const config::rollout& offered, std::string name, hub::feed::ready_call ready)
    : shared_(shared)
    , settings_(settings)
    , offered_(offered)
    , home_(home)
    , words_(words)
    , name_(std::move(name))
    , ready_(std::move(ready))
    , feed_(home, {settings.limits.subscriptions_per_session, settings.limits.send_buffer}, [this](hub::feed::pull when) { ready_(when); })
    , messages_(settings.limits.messages_per_second, settings.limits.messages_per_second * 2)
{
}

void conversation::open(std::optional<policy::identity> who, bool has_token, core::result<session_count::place> place, std::string peer, moment now)
{
    peer_ = std::move(peer);
    opened_ = last_heard_ = now.steady;
    next_beat_ = now.steady + settings_.heartbeat;
    if (!place) {
        refuse("", place.error());
        return;
    }
    place_ = std::move(*place);
    who_ = std::move(who);
    has_token_ = has_token;
    mark_ = who_ ? cursor_mark(shared_.with, *who_) : cursor_mark();
    say(protocol::welcome(name_, mark_.put_on(home_.cursor()), settings_.heartbeat));
    if (has_token) {
        say(protocol::authenticated(who_->expires));
    }
    check_admission(); // revoked while the handshake was under way
    if (has_token_ && !over_ && !is_offered()) {
        refuse("", {error_code::not_offered, ""});
    }
}

void conversation::heard(moment now)
{
    last_heard_ = now.steady;
    if (!over_ && !messages_.take(now.steady)) {
        refuse("", {error_code::too_many_messages,
                    "more than " + std::to_string(settings_.limits.messages_per_second) + " messages a second"});
    }
}

void conversation::received(std::string_view text, moment now)
{
    heard(now);
    if (over_) {
        return;
    }
    ++unanswered_;
    auto parsed = protocol::parse_client_message(text);
    if (const auto* bad = std::get_if<protocol::bad_message>(&parsed)) {
        refuse(bad->id, bad->why);
        return;
    }
    std::visit([&](const auto& message) { take(message); }, std::get<protocol::client_message>(parsed));
}

void conversation::take(const protocol::auth_message& message)
{
    auto who = shared_.with.authenticate(std::string_view(message.token));
    if (!who) {
        refuse("", who.error());
        return;
    }
    if (has_token_ && who_->subject != who->subject) {
        refuse("", {error_code::subject_changed, ""});
        return;
    }
    if (!has_token_) {
        // From the anonymous, or from nobody yet, to a user whose sessions are counted.
        if (auto passed = place_.pass_to(who->subject); !passed) {
            refuse("", passed.error());
            return;
        }
    }
    who_ = std::move(*who);
    has_token_ = true;
    warned_ = false;
    if (!is_offered()) {
        refuse("", {error_code::not_offered, ""});
        return;
    }
    say(protocol::authenticated(who_->expires));
    reconsider();
}

void conversation::take(const protocol::subscribe_message& message)
{
    const protocol::wish& wanted = message.wanted;
    if (!who_) {
        refuse(wanted.id, {error_code::token_missing, "the first message must be an 'auth' with a token"});
        return;
    }
    if (!has_token_ && !is_offered()) {
        refuse("", {error_code::not_offered, ""});
        return;
    }
    if (pending_.contains(wanted.id)) {
        refuse(wanted.id, {error_code::duplicate_subscription, "\"" + wanted.id + "\" is being subscribed already"});
        return;
    }
    subscribe(wanted);
}

void conversation::subscribe(const protocol::wish& wanted)
{
    auto allowed = authorize(wanted, *who_, shared_.with);
    if (auto* missing = std::get_if<missing_sets>(&allowed)) {
        if (feed_.subscriptions() + pending_.size() >= settings_.limits.subscriptions_per_session) {
            refuse(wanted.id, {error_code::too_many_subscriptions,
                               "a session may have " + std::to_string(settings_.limits.subscriptions_per_session) + " subscriptions"});
            return;
        }
        pending_.insert_or_assign(wanted.id, pending{wanted, 0});
        load(wanted.id, std::move(*missing));
        return;
    }
    if (const auto* why = std::get_if<failure>(&allowed)) {
        refuse(wanted.id, *why);
        return;
    }
    auto& request = std::get<hub::feed::request>(allowed);
    std::string rights = request.view.rights();
    auto [after, reset] = mark_.take_off(wanted.after);
    if (auto subscribed = feed_.subscribe(std::move(request), std::move(after), reset); !subscribed) {
        refuse(wanted.id, subscribed.error());
        return;
    }
    subscriptions_.insert_or_assign(wanted.id, subscription{wanted, std::move(rights)});
}

void conversation::load(const std::string& id, std::vector<policy::set_call> missing)
{
    const std::uint64_t number = pending_.at(id).number = ++last_load_;
    if (!shared_.with.load_sets) {
        loaded(id, number, failure{error_code::unavailable, ""});
        return;
    }
    shared_.with.load_sets(home_.id(), std::move(missing), [this, id, number, alive = std::weak_ptr(alive_)](const auto& values) {
        if (!alive.expired()) {
            loaded(id, number, values);
        }
    });
}

// What was loaded is kept until it has been looked for: the rules, or the values, may be others again.
void conversation::loaded(const std::string& id, std::uint64_t number, const core::result<services::set_values>& values)
{
    const auto found = pending_.find(id);
    if (over_ || found == pending_.end() || found->second.number != number) {
        return;
    }
    const protocol::wish wanted = std::move(found->second.wanted);
    pending_.erase(found);
    if (values) {
        subscribe(wanted);
    } else {
        refuse(id, values.error());
    }
}

void conversation::take(const protocol::unsubscribe_message& message)
{
    if (const auto waiting = pending_.find(message.id); waiting != pending_.end()) {
        pending_.erase(waiting);
        say(protocol::unsubscribed(message.id));
        return;
    }
    if (auto done = feed_.unsubscribe(message.id); !done) {
        refuse(message.id, done.error());
        return;
    }
    subscriptions_.erase(message.id);
}

void conversation::take(const protocol::ping_message& message)
{
    say(protocol::pong(message.id));
}

bool conversation::tick(moment now)
{
    if (over_) {
        return false;
    }
    if (!who_ && now.steady >= opened_ + shared_.times.authentication) {
        const auto limit = std::chrono::duration_cast<std::chrono::seconds>(shared_.times.authentication);
        refuse("", {error_code::token_missing, "no 'auth' message came within " + std::to_string(limit.count()) + " s"});
        return false;
    }
    if (who_ && who_->expires) {
        if (const auto fine = check_expiry(*who_, now); !fine) {
            refuse("", fine.error());
            return false;
        }
        const std::int64_t left = *who_->expires - now.unix_seconds;
        if (left <= warning_seconds && !std::exchange(warned_, true)) {
            say(protocol::expiring(std::max<std::int64_t>(left, 0)));
        }
    }
    if (now.steady < next_beat_) {
        return false;
    }
    // We cannot hear whom we do not read; the kernel ends a connection whose peer is gone (TCP_USER_TIMEOUT).
    if (now.steady - last_heard_ >= 2 * settings_.heartbeat && !is_choked()) {
        refuse("", {error_code::no_heartbeat, ""});
        return false;
    }
    next_beat_ = now.steady + settings_.heartbeat;
    if (!has_more()) {
        if (auto cursor = feed_.moved_on()) {
            say(protocol::cursor_moved(mark_.put_on(*cursor)));
        }
    }
    return true;
}

std::chrono::steady_clock::time_point conversation::due(moment now) const
{
    auto at = next_beat_;
    if (!who_) {
        at = std::min(at, opened_ + shared_.times.authentication);
    } else if (who_->expires) {
        at = std::min(at, now.look_for(warned_ ? *who_->ends() : *who_->expires - warning_seconds));
    }
    return at;
}

void conversation::reconsider()
{
    if (!who_ || over_) {
        return;
    }
    mark_ = cursor_mark(shared_.with, *who_);
    std::erase_if(subscriptions_, [&](const auto& entry) {
        if (still_has(entry.second.rights, authorize(entry.second.wanted, *who_, shared_.with))) {
            return false;
        }
        // A new `subscribe` is answered with what now holds, `forbidden` among others.
        feed_.stop(entry.first, hub::permissions_changed);
        return true;
    });
}

void conversation::check_admission()
{
    if (who_ && !over_) {
        if (auto fine = admit(*who_, name_, shared_.with); !fine) {
            refuse("", fine.error());
        }
    }
}

// The anonymous may yet bring a token, as long as they have asked for nothing.
bool conversation::is_offered() const
{
    return net::is_offered(offered_, "websocket", subject().empty() ? peer_ : subject());
}

void conversation::check_offer(std::chrono::milliseconds reconnect)
{
    if ((has_token_ || !subscriptions_.empty() || !pending_.empty()) && !is_offered()) {
        say_goodbye(reconnect, "not_offered");
    }
}

void conversation::say_goodbye(std::chrono::milliseconds reconnect, std::string_view reason)
{
    if (!over_) {
        say(protocol::goodbye(reason, reconnect));
        end(core::close_code::going_away, std::string(reason));
    }
}

void conversation::describe(session_description& to, moment now) const
{
    to.address = peer_;
    to.age = std::chrono::floor<std::chrono::seconds>(now.steady - opened_);
    if (who_) {
        to.roles = who_->roles;
    }
    for (const auto& [id, each] : subscriptions_) {
        const auto* table = std::get_if<protocol::wish::table>(&each.wanted.to);
        add_target(to, table ? table->name : std::get<protocol::wish::channel>(each.wanted.to).name);
    }
}

void conversation::end(core::close_code code, std::string reason)
{
    if (!over_) {
        over_ = ending{code, std::move(reason)};
        ready_(hub::feed::pull::soon);
    }
}

std::shared_ptr<const std::string> conversation::next()
{
    if (!said_.empty()) {
        unanswered_ -= std::min<std::size_t>(unanswered_, 1);
        auto out = std::make_shared<const std::string>(std::move(said_.front()));
        said_.pop_front();
        return out;
    }
    if (over_) {
        return nullptr;
    }
    const auto what = feed_.next({});
    if (feed_.has_fallen_behind()) {
        shared_.tell(observe::fell_behind{name_});
    }
    if (!what) {
        unanswered_ = 0;
        return nullptr;
    }
    if (const auto* changed = std::get_if<hub::changes>(&*what)) {
        auto text = words_.of(*changed, mark_);
        shared_.tell(observe::events_sent{"websocket", changed->events.size(), text->size(), changed->logged, changed->replayed});
        return text;
    }
    unanswered_ -= std::min<std::size_t>(unanswered_, 1);
    return std::make_shared<const std::string>(word(*what));
}

// All but changes.
std::string conversation::word(const hub::output& what)
{
    if (const auto* said = std::get_if<hub::subscribed>(&what)) {
        const bool reset = said->what == hub::subscribed::status::reset;
        if (said->what != hub::subscribed::status::live) {
            shared_.tell(observe::came_back{"websocket", reset ? core::to_string(said->reason) : "resumed", !std::exchange(came_back_, true)});
        }
        return protocol::subscribed(said->id, status_name(said->what), reset ? std::optional(said->reason) : std::nullopt,
                                    mark_.put_on(said->cursor));
    }
    if (const auto* given = std::get_if<hub::rows>(&what)) {
        return protocol::rows(given->id, given->text, given->more, mark_.put_on(given->cursor));
    }
    if (const auto* gone = std::get_if<hub::resync>(&what)) {
        // It stays in `subscriptions_`: the client may have subscribed to it anew already.
        return protocol::resync(gone->id, gone->reason);
    }
    if (const auto* left = std::get_if<hub::unsubscribed>(&what)) {
        return protocol::unsubscribed(left->id);
    }
    const auto& refused = std::get<hub::refused>(what);
    subscriptions_.erase(refused.id);
    return protocol::error(refused.id, refused.why);
}

void conversation::say(std::string message)
{
    said_.push_back(std::move(message));
    ready_(hub::feed::pull::soon);
}

void conversation::refuse(std::string_view id, const failure& why)
{
    shared_.tell(observe::request_refused{"websocket", std::string(core::to_string(why.code)), why.message, name_, subject(), peer_});
    say(protocol::error(id, why));
    if (const core::error_info& known = core::describe(why.code); known.close != core::close_code::none) {
        end(known.close, std::string(known.name));
    }
}

} // namespace rowcast::net
