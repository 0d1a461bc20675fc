#include "app/operator_views.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

#include "core/version.hpp"
#include "protocol/excerpt.hpp"
#include "protocol/json.hpp"

namespace rowcast::app {
namespace {

using core::error_code;
using core::failure;
using core::object;
using core::value;

constexpr std::size_t session_name_size = 16; // net::worker::name_session

// As many as one answer may have.
constexpr std::size_t most_sessions = 1000;

template <class Whole>
value number(Whole of)
{
    return {core::number{std::to_string(of)}};
}

value seconds(double of)
{
    char text[40];
    std::snprintf(text, sizeof text, "%.3f", of);
    return {core::number{text}};
}

value names(const std::vector<std::string>& of)
{
    core::list all;
    for (const std::string& each : of) {
        all.push_back({each});
    }
    return {std::move(all)};
}

net::answer answer_of(object members)
{
    return {200, "application/json", protocol::to_json({std::move(members)}), {}};
}

failure unknown(const std::string& name, const char* of)
{
    return {error_code::unknown_member, std::string(of) + " has no member " + protocol::excerpt(name)};
}

value session(const net::session_description& of, core::transaction_id position)
{
    object out{{"session", {of.session}}};
    if (!of.user.empty()) {
        out.emplace_back("user", value{of.user});
    }
    out.emplace_back("roles", names(of.roles));
    out.emplace_back("address", value{of.address});
    out.emplace_back("transport", value{std::string(of.transport)});
    out.emplace_back("age_s", number(of.age.count()));
    out.emplace_back("subscriptions", number(of.subscriptions));
    out.emplace_back("targets", names(of.targets));
    out.emplace_back("catching_up", value{of.catching_up});
    out.emplace_back("behind", number(of.lacks_from && *of.lacks_from < position ? position - *of.lacks_from : 0));
    return {std::move(out)};
}

value rule(const policy::rule& of, std::size_t place)
{
    object out{{"rule", number(place)}};
    if (of.at.line > 0) {
        out.emplace_back("line", number(of.at.line));
    }
    if (!of.roles.empty()) {
        out.emplace_back("roles", names(of.roles));
    }
    if (!of.where.always()) {
        out.emplace_back("where", policy::to_value(of.where));
    }
    if (of.columns) {
        out.emplace_back("columns", names(*of.columns));
    }
    return {std::move(out)};
}

value rules(const std::vector<policy::rule>& of)
{
    core::list all;
    for (const policy::rule& each : of) {
        all.push_back(rule(each, all.size() + 1));
    }
    return {std::move(all)};
}

value set(const policy::set_definition& of)
{
    return {object{{"set", {of.name}}, {"query", {of.query}}, {"watch", names(of.watch)}}};
}

value table(const postgres::watched_table& of, const postgres::table_sizes& sizes)
{
    object out{{"table", {of.name}}, {"columns", names(of.columns)},   {"all_columns", {of.all_columns}},
               {"key", names(of.key)}, {"notify", {of.notify}}, {"triggers", {of.triggers}}};
    for (const auto& each : sizes.tables) {
        if (each.name == of.name) {
            out.emplace_back("bytes", number(each.bytes));
            out.emplace_back("rows", number(each.rows));
        }
    }
    return {std::move(out)};
}

value bridge(const postgres::bridge_status& of)
{
    object out{{"id", {of.id}},
               {"host", {of.host}},
               {"process", number(of.process)},
               {"version", {of.version}},
               {"started", {of.started}},
               {"seen_s", seconds(of.seen_s)},
               {"connected", {of.connected}},
               {"sessions", number(of.sessions)},
               {"subscriptions", number(of.subscriptions)},
               {"catching_up", number(of.catching_up)},
               {"doorbell", {of.doorbell}}};
    if (of.slowest) {
        out.emplace_back("slowest_s", seconds(of.slowest->behind_s));
    }
    return {std::move(out)};
}

template <class All>
value each_of(const All& of, auto&& word)
{
    core::list all;
    for (const auto& each : of) {
        all.push_back(word(each));
    }
    return {std::move(all)};
}

core::result<std::vector<std::string>> read_names(const std::string& member, const value& given)
{
    std::vector<std::string> found;
    const auto* items = given.as_list();
    for (std::size_t i = 0; items && i < items->size(); ++i) {
        if (const std::string* text = (*items)[i].as_string()) {
            found.push_back(*text);
        }
    }
    if (!items || found.size() != items->size() || found.empty()) {
        return failure{error_code::bad_request, "'" + member + "' takes a list of names"};
    }
    return found;
}

core::result<std::string> read_table(const value& given)
{
    const std::string* text = given.as_string();
    if (!text || text->empty()) {
        return failure{error_code::bad_request, "'table' takes a table's name, as in public.orders"};
    }
    return *text;
}

failure no_table()
{
    return {error_code::bad_request, "which table? Give 'table', as in public.orders"};
}

} // namespace

net::answer bridge_told(const bridge_facts& facts)
{
    object traffic;
    for (const auto& [name, counts] : facts.tables) {
        traffic.emplace_back(name, value{object{{"inserts", number(counts.inserts)},
                                                {"updates", number(counts.updates)},
                                                {"deletes", number(counts.deletes)},
                                                {"others", number(counts.others)}}});
    }
    return answer_of({{"version", {std::string(core::full_version())}},
                      {"id", {facts.id}},
                      {"host", {facts.host}},
                      {"process", number(facts.process)},
                      {"up_s", number(facts.up.count())},
                      {"database", {facts.database}},
                      {"connected", {facts.connected}},
                      {"ready", {facts.not_ready.empty()}},
                      {"reasons", names(facts.not_ready)},
                      {"doorbell", {facts.doorbell}},
                      {"position", {std::to_string(facts.position)}}, // a text: beyond 2^53 some day
                      {"traffic", {std::move(traffic)}}});
}

core::result<net::session_search> read_search(const value& parameters)
{
    net::session_search wanted;
    for (const auto& [name, given] : *parameters.as_object()) {
        const std::string& text = *given.as_string();
        if (name == "search") {
            wanted.text = text;
        } else if (name == "transport" && (text == "websocket" || text == "sse" || text == "poll")) {
            wanted.transport = text;
        } else if (name == "catching_up" && text == "true") {
            wanted.catching_up = true;
        } else if (name == "after") {
            // A session's name and its user's.
            wanted.after = {text.substr(std::min(session_name_size, text.size())), text.substr(0, session_name_size)};
        } else if (name == "limit") {
            const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), wanted.limit);
            if (wrong != std::errc{} || end != text.data() + text.size() || wanted.limit == 0 || wanted.limit > most_sessions) {
                return failure{error_code::bad_request, "'limit' takes a number from 1 to " + std::to_string(most_sessions)};
            }
        } else if (name == "transport" || name == "catching_up") {
            return failure{error_code::bad_request, name == "transport" ? "'transport' is one of websocket, sse and poll" : "'catching_up' is true, or left out"};
        } else {
            return unknown(name, "a search for sessions");
        }
    }
    return wanted;
}

net::answer sessions_listed(const net::session_listing& found, core::transaction_id position)
{
    object out{{"matching", number(found.matching)},
               {"sessions", each_of(found.sessions, [&](const auto& each) { return session(each, position); })}};
    if (found.more) {
        const auto& last = found.sessions.back();
        out.emplace_back("next", value{last.session + last.user});
    }
    return answer_of(std::move(out));
}

core::result<net::session_choice> read_choice(const value& body)
{
    net::session_choice whom;
    for (const auto& [name, given] : *body.as_object()) {
        const std::string* text = given.as_string();
        if (name != "session" && name != "user") {
            return unknown(name, "a disconnect");
        }
        if (!text || text->empty()) {
            return failure{error_code::bad_request, "'" + name + "' takes a text that is not empty"};
        }
        (name == "session" ? whom.session : whom.user) = *text;
    }
    if (whom.session.empty() == whom.user.empty()) {
        return failure{error_code::bad_request, "whom? Give 'session' or 'user', one of them"};
    }
    return whom;
}

net::answer sent_away(std::size_t sessions)
{
    return answer_of({{"sessions", number(sessions)}});
}

net::answer rules_listed(const net::permissions& now)
{
    core::list tables;
    core::list channels;
    core::list sets;
    for (const auto& [name, all] : now.rules->tables) {
        tables.push_back({object{{"table", {name}}, {"watched", {now.tables && now.tables->find(name) != nullptr}}, {"rules", rules(all)}}});
    }
    for (const auto& [pattern, all] : now.rules->channels) {
        channels.push_back({object{{"channel", {pattern}}, {"rules", rules(all)}}});
    }
    for (const auto& [name, definition] : now.rules->sets) {
        sets.push_back(set(*definition));
    }
    return answer_of({{"tables", {std::move(tables)}}, {"channels", {std::move(channels)}}, {"sets", {std::move(sets)}}});
}

net::answer database_told(const postgres::database_status& status, const postgres::table_sizes& sizes, const config::retention& keep)
{
    object log{{"bytes", number(status.log_bytes)}, {"rows", number(status.log_rows)}};
    if (!status.oldest_change.empty()) {
        log.emplace_back("oldest_s", seconds(status.oldest_age_s));
    }
    log.emplace_back("retention_s", seconds(std::chrono::duration<double>(keep.age).count()));
    log.emplace_back("retention_bytes", number(keep.size));
    object out{{"server_version", {status.server_version}},
               {"role", {sizes.role}},
               {"may_watch", {sizes.may_watch}},
               {"tables", each_of(status.tables, [&](const auto& each) { return table(each, sizes); })},
               {"log", {std::move(log)}},
               {"bridges", each_of(status.bridges, bridge)},
               {"notification_queue", seconds(status.notification_queue_usage)}};
    if (!status.doorbell_holder.empty()) {
        out.emplace_back("doorbell_holder", value{status.doorbell_holder});
    }
    return answer_of(std::move(out));
}

core::result<postgres::watch_options> read_watch(const value& body)
{
    postgres::watch_options wanted;
    for (const auto& [name, given] : *body.as_object()) {
        if (name == "table") {
            auto table = read_table(given);
            if (!table) {
                return table.error();
            }
            wanted.table = std::move(*table);
        } else if (name == "columns" || name == "except") {
            auto list = read_names(name, given);
            if (!list) {
                return list.error();
            }
            (name == "columns" ? wanted.columns : wanted.except) = std::move(*list);
        } else if (name == "notify" && given.as_bool()) {
            wanted.notify = *given.as_bool();
        } else if (name == "notify") {
            return failure{error_code::bad_request, "'notify' is true or false"};
        } else {
            return unknown(name, "a watch");
        }
    }
    return wanted.table.empty() ? core::result<postgres::watch_options>(no_table()) : wanted;
}

core::result<std::string> read_unwatch(const value& body)
{
    std::string table;
    for (const auto& [name, given] : *body.as_object()) {
        if (name != "table") {
            return unknown(name, "an unwatch");
        }
        auto read = read_table(given);
        if (!read) {
            return read;
        }
        table = std::move(*read);
    }
    return table.empty() ? core::result<std::string>(no_table()) : table;
}

net::answer table_done(const std::string& table)
{
    return answer_of({{"table", {table}}});
}

} // namespace rowcast::app
