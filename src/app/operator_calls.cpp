#include "app/operator_calls.hpp"

#include <charconv>
#include <utility>

#include "config/quantity.hpp"
#include "protocol/excerpt.hpp"
#include "protocol/explanation_json.hpp"
#include "protocol/json.hpp"

namespace rowcast::app {
namespace {

using core::error_code;
using core::failure;
using core::object;
using core::value;

// It exists at one bridge, which has heard of it soon.
constexpr std::chrono::minutes session_lasts{10};

core::number number(long of)
{
    return {std::to_string(of)};
}

core::result<unsigned> read_percent(const std::string& name, const value& given)
{
    unsigned percent = 0;
    const auto* digits = given.as_number() ? &given.as_number()->digits : nullptr;
    const char* const end = digits ? digits->data() + digits->size() : nullptr;
    if (!digits || std::from_chars(digits->data(), end, percent).ptr != end || percent > 100) {
        return failure{error_code::bad_request, "'" + name + "' takes a whole number from 0 to 100"};
    }
    return percent;
}

core::result<config::rollout::users> read_users(const std::string& name, const value& given)
{
    config::rollout::users users;
    const core::list* all = given.as_list();
    for (const value& each : all ? *all : core::list()) {
        const std::string* user = each.as_string();
        if (!user || user->empty() || !users.insert(*user).second) {
            all = nullptr;
            break;
        }
    }
    if (!all || users.size() > config::rollout::most_users) {
        return failure{error_code::bad_request, "'" + name + "' takes a list of users (their tokens' sub), each of them once, and " +
                                                    std::to_string(config::rollout::most_users) + " at most"};
    }
    return users;
}

template <class Value>
core::result<void> assign(Value& to, core::result<Value> read)
{
    if (!read) {
        return read.error();
    }
    to = std::move(*read);
    return {};
}

core::list list_of(const config::rollout::users& users)
{
    core::list out;
    for (const std::string& each : users) {
        out.push_back({each});
    }
    return out;
}

net::answer answer_of(object members)
{
    return {200, "application/json", protocol::to_json({std::move(members)}), {}};
}

} // namespace

core::result<postgres::revocation_wish> read_revocation(const value& body)
{
    postgres::revocation_wish wish;
    for (const auto& [name, given] : *body.as_object()) {
        const std::string* text = given.as_string();
        const bool whom = name == "user" || name == "token" || name == "session";
        if (!whom && name != "for" && name != "reason") {
            return failure{error_code::unknown_member, "a revocation has no member " + protocol::excerpt(name)};
        }
        if (!text || text->empty()) {
            return failure{error_code::bad_request, "'" + name + "' takes a text that is not empty"};
        }
        if (whom && !wish.kind.empty()) {
            return failure{error_code::bad_request, "one of 'user', 'token' and 'session' is revoked at a time"};
        }
        if (whom) {
            wish.kind = name;
            wish.name = *text;
        } else if (name == "reason") {
            wish.reason = *text;
        } else if (const auto lasts = config::parse_duration(*text); lasts && lasts->count() > 0) {
            wish.lasts = *lasts;
        } else {
            return failure{error_code::bad_request, "'for' takes a duration like 15m, 1h or 7d"};
        }
    }
    if (wish.kind.empty()) {
        return failure{error_code::bad_request, "whom? Give 'user' (the token's sub), 'token' (its jti) or 'session'"};
    }
    if (wish.kind == "session" && !wish.lasts) {
        wish.lasts = session_lasts;
    }
    return wish;
}

core::result<config::rollout> read_rollout(const value& body, config::rollout now)
{
    for (const auto& [name, given] : *body.as_object()) {
        core::result<void> read;
        if (name == "websocket") {
            read = assign(now.websocket, read_percent(name, given));
        } else if (name == "sse") {
            read = assign(now.sse, read_percent(name, given));
        } else if (name == "opt_in") {
            read = assign(now.opt_in, read_users(name, given));
        } else if (name == "opt_out") {
            read = assign(now.opt_out, read_users(name, given));
        } else if (name != "force_polling") {
            read = failure{error_code::unknown_member, "the rollout has no member " + protocol::excerpt(name)};
        } else if (const bool* forced = given.as_bool()) {
            now.force_polling = *forced;
        } else {
            read = failure{error_code::bad_request, "'force_polling' takes true or false"};
        }
        if (!read) {
            return read.error();
        }
    }
    return now;
}

net::answer rollout_stands(const config::rollout& now, bool as_configured)
{
    return answer_of({{"websocket", {number(now.websocket)}},
                      {"sse", {number(now.sse)}},
                      {"force_polling", {now.force_polling}},
                      {"opt_in", {list_of(now.opt_in)}},
                      {"opt_out", {list_of(now.opt_out)}},
                      {"as_configured", {as_configured}}});
}

net::answer revoke_done(const postgres::revocation_wish& wish, const std::string& until)
{
    return answer_of({{wish.kind, {wish.name}}, {"until", {until}}});
}

net::answer reload_done(const std::vector<std::string>& needs_restart)
{
    core::list names;
    for (const std::string& each : needs_restart) {
        names.push_back({each});
    }
    return answer_of({{"needs_restart", {std::move(names)}}});
}

net::answer reload_refused(const std::vector<config::problem>& problems)
{
    net::answer out = net::refuse({error_code::configuration_invalid, ""});
    core::list all;
    for (const config::problem& each : problems) {
        object one;
        if (each.at.line > 0) {
            one = {{"line", {number(each.at.line)}}, {"column", {number(each.at.column)}}};
        }
        one.emplace_back("message", value{each.message});
        all.push_back({std::move(one)});
    }
    out.body.pop_back(); // a member more (RFC 9457 section 3.2)
    out.body += ",\"problems\":" + protocol::to_json({std::move(all)}) + "}";
    return out;
}

net::answer explained(const policy::explanation& what)
{
    return {200, "application/json", protocol::to_json(what), {}};
}

net::answer not_let_in(const core::failure& why)
{
    return net::refuse({error_code::bad_request, "this user is not let in (" + std::string(core::to_string(why.code)) + ")" +
                                                     (why.message.empty() ? "" : ": " + why.message)});
}

} // namespace rowcast::app
