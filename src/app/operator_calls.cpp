#include "app/operator_calls.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "config/quantity.hpp"
#include "core/excerpt.hpp"
#include "core/whole_number.hpp"

namespace rowcast::app {
namespace {

using core::error_code;
using core::failure;
using core::value;

// It exists at one bridge, which has heard of it soon.
constexpr std::chrono::minutes session_lasts{10};

// As many as one answer may have.
constexpr std::size_t most_sessions = 1000;

failure bad(std::string why)
{
    return {error_code::bad_request, std::move(why)};
}

failure unknown(const std::string& name, const char* of)
{
    return {error_code::unknown_member, std::string(of) + " has no member " + core::excerpt(name)};
}

failure no_table()
{
    return bad("which table? Give 'table', as in public.orders");
}

core::result<unsigned> read_percent(const std::string& name, const value& given)
{
    const auto percent = given.as_number() ? core::whole_number<unsigned>(given.as_number()->digits) : std::nullopt;
    if (!percent || *percent > 100) {
        return bad("'" + name + "' takes a whole number from 0 to 100");
    }
    return *percent;
}

core::result<bool> read_flag(const std::string& name, const value& given)
{
    if (const bool* flag = given.as_bool()) {
        return *flag;
    }
    return bad("'" + name + "' takes true or false");
}

core::result<std::string> read_text(const std::string& name, const value& given)
{
    const std::string* text = given.as_string();
    if (!text || text->empty()) {
        return bad("'" + name + "' takes a text that is not empty");
    }
    return *text;
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
        return bad("'" + name + "' takes a list of users (their tokens' sub), each of them once, and " +
                   std::to_string(config::rollout::most_users) + " at most");
    }
    return users;
}

core::result<std::vector<std::string>> read_names(const std::string& name, const value& given)
{
    std::vector<std::string> found;
    const core::list* all = given.as_list();
    for (const value& each : all ? *all : core::list()) {
        if (const std::string* text = each.as_string()) {
            found.push_back(*text);
        }
    }
    if (!all || found.size() != all->size() || found.empty()) {
        return bad("'" + name + "' takes a list of names");
    }
    return found;
}

core::result<std::string> read_table(const value& given)
{
    const std::string* text = given.as_string();
    if (!text || text->empty()) {
        return bad("'table' takes a table's name, as in public.orders");
    }
    return *text;
}

template <class Value>
core::result<void> assign(Value& to, auto read)
{
    if (!read) {
        return read.error();
    }
    to = std::move(*read);
    return {};
}

} // namespace

core::result<void> read_nothing(const value& given)
{
    if (const core::object& members = *given.as_object(); !members.empty()) {
        return unknown(members.front().first, "this call");
    }
    return {};
}

core::result<postgres::revocation_wish> read_revocation(const value& body)
{
    postgres::revocation_wish wish;
    for (const auto& [name, given] : *body.as_object()) {
        const bool whom = name == "user" || name == "token" || name == "session";
        if (!whom && name != "for" && name != "reason") {
            return unknown(name, "a revocation");
        }
        auto text = read_text(name, given);
        if (!text) {
            return text.error();
        }
        if (whom && !wish.kind.empty()) {
            return bad("one of 'user', 'token' and 'session' is revoked at a time");
        }
        if (whom) {
            wish.kind = name;
            wish.name = std::move(*text);
        } else if (name == "reason") {
            wish.reason = std::move(*text);
        } else if (const auto lasts = config::parse_duration(*text); lasts && lasts->count() > 0) {
            wish.lasts = *lasts;
        } else {
            return bad("'for' takes a duration like 15m, 1h or 7d");
        }
    }
    if (wish.kind.empty()) {
        return bad("whom? Give 'user' (the token's sub), 'token' (its jti) or 'session'");
    }
    if (wish.kind == "session" && !wish.lasts) {
        wish.lasts = session_lasts;
    }
    return wish;
}

core::result<config::rollout> read_rollout(const value& body, config::rollout now)
{
    for (const auto& [name, given] : *body.as_object()) {
        const core::result<void> read = name == "websocket"       ? assign(now.websocket, read_percent(name, given))
                                        : name == "sse"           ? assign(now.sse, read_percent(name, given))
                                        : name == "opt_in"        ? assign(now.opt_in, read_users(name, given))
                                        : name == "opt_out"       ? assign(now.opt_out, read_users(name, given))
                                        : name == "force_polling" ? assign(now.force_polling, read_flag(name, given))
                                                                  : unknown(name, "the rollout");
        if (!read) {
            return read.error();
        }
    }
    return now;
}

core::result<net::session_search> read_search(const value& parameters)
{
    net::session_search wanted;
    for (const auto& [name, given] : *parameters.as_object()) {
        const std::string& text = *given.as_string();
        if (name == "search") {
            wanted.text = text;
        } else if (name == "transport") {
            if (text != "websocket" && text != "sse" && text != "poll") {
                return bad("'transport' is one of websocket, sse and poll");
            }
            wanted.transport = text;
        } else if (name == "catching_up") {
            if (text != "true") {
                return bad("'catching_up' is true, or left out");
            }
            wanted.catching_up = true;
        } else if (name == "after") {
            const std::size_t dot = std::min(text.find('.'), text.size());
            wanted.after = {text.substr(std::min(dot + 1, text.size())), text.substr(0, dot)};
        } else if (name == "limit") {
            const auto limit = core::whole_number<std::size_t>(text);
            if (!limit || *limit == 0 || *limit > most_sessions) {
                return bad("'limit' takes a number from 1 to " + std::to_string(most_sessions));
            }
            wanted.limit = *limit;
        } else {
            return unknown(name, "a search for sessions");
        }
    }
    return wanted;
}

// A session's name is in base64url, and has no dot.
std::string next_page(const net::session_description& last)
{
    return last.session + "." + last.user;
}

core::result<net::session_choice> read_choice(const value& body)
{
    net::session_choice whom;
    for (const auto& [name, given] : *body.as_object()) {
        const core::result<void> read = name == "session" ? assign(whom.session, read_text(name, given))
                                        : name == "user"  ? assign(whom.user, read_text(name, given))
                                                          : unknown(name, "a disconnect");
        if (!read) {
            return read.error();
        }
    }
    if (whom.session.empty() == whom.user.empty()) {
        return bad("whom? Give 'session' or 'user', one of them");
    }
    return whom;
}

core::result<postgres::watch_options> read_watch(const value& body)
{
    postgres::watch_options wanted;
    for (const auto& [name, given] : *body.as_object()) {
        const core::result<void> read = name == "table"     ? assign(wanted.table, read_table(given))
                                        : name == "columns" ? assign(wanted.columns, read_names(name, given))
                                        : name == "except"  ? assign(wanted.except, read_names(name, given))
                                        : name == "notify"  ? assign(wanted.notify, read_flag(name, given))
                                                            : unknown(name, "a watch");
        if (!read) {
            return read.error();
        }
    }
    if (wanted.table.empty()) {
        return no_table();
    }
    return wanted;
}

core::result<std::string> read_unwatch(const value& body)
{
    std::string table;
    for (const auto& [name, given] : *body.as_object()) {
        const auto read = name == "table" ? assign(table, read_table(given)) : unknown(name, "an unwatch");
        if (!read) {
            return read.error();
        }
    }
    if (table.empty()) {
        return no_table();
    }
    return table;
}

} // namespace rowcast::app
