#include "app/operator_views.hpp"

#include <cstdio>
#include <utility>

#include "app/operator_calls.hpp"
#include "core/version.hpp"
#include "protocol/explanation_json.hpp"
#include "protocol/json.hpp"

namespace rowcast::app {
namespace {

using core::error_code;
using core::list_of;
using core::number;
using core::object;
using core::value;

value seconds(double of)
{
    char text[40];
    std::snprintf(text, sizeof text, "%.3f", of);
    return {number{text}};
}

net::answer answer_of(object members)
{
    return {200, "application/json", protocol::to_json({std::move(members)}), {}};
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

value session(const net::session_description& of, core::transaction_id position)
{
    object out{{"session", {of.session}}};
    if (!of.user.empty()) {
        out.emplace_back("user", value{of.user});
    }
    out.emplace_back("roles", value{list_of(of.roles)});
    out.emplace_back("address", value{of.address});
    out.emplace_back("transport", value{std::string(of.transport)});
    out.emplace_back("age_s", value{number::of(of.age.count())});
    out.emplace_back("subscriptions", value{number::of(of.subscriptions)});
    out.emplace_back("targets", value{list_of(of.targets)});
    out.emplace_back("catching_up", value{of.catching_up});
    out.emplace_back("behind", value{number::of(of.lacks_from && *of.lacks_from < position ? position - *of.lacks_from : 0)});
    return {std::move(out)};
}

value rule(const policy::rule& of, std::size_t place)
{
    object out{{"rule", {number::of(place)}}};
    if (of.at.line > 0) {
        out.emplace_back("line", value{number::of(of.at.line)});
    }
    if (!of.roles.empty()) {
        out.emplace_back("roles", value{list_of(of.roles)});
    }
    if (!of.where.always()) {
        out.emplace_back("where", policy::to_value(of.where));
    }
    if (of.columns) {
        out.emplace_back("columns", value{list_of(*of.columns)});
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
    return {object{{"set", {of.name}}, {"query", {of.query}}, {"watch", {list_of(of.watch)}}}};
}

value table(const postgres::watched_table& of, const postgres::table_sizes& sizes)
{
    object out{{"table", {of.name}},         {"columns", {list_of(of.columns)}}, {"all_columns", {of.all_columns}},
               {"key", {list_of(of.key)}}, {"notify", {of.notify}},            {"triggers", {of.triggers}}};
    for (const auto& each : sizes.tables) {
        if (each.name == of.name) {
            out.emplace_back("bytes", value{number::of(each.bytes)});
            out.emplace_back("rows", value{number::of(each.rows)});
        }
    }
    return {std::move(out)};
}

value bridge(const postgres::bridge_status& of)
{
    object out{{"id", {of.id}},
               {"host", {of.host}},
               {"process", {number::of(of.process)}},
               {"version", {of.version}},
               {"started", {of.started}},
               {"seen_s", seconds(of.seen_s)},
               {"connected", {of.connected}},
               {"sessions", {number::of(of.sessions)}},
               {"subscriptions", {number::of(of.subscriptions)}},
               {"catching_up", {number::of(of.catching_up)}},
               {"doorbell", {of.doorbell}}};
    if (of.slowest) {
        out.emplace_back("slowest_s", seconds(of.slowest->behind_s));
    }
    return {std::move(out)};
}

} // namespace

net::answer bridge_told(const bridge_facts& facts)
{
    object traffic;
    for (const auto& [name, counts] : facts.tables) {
        traffic.emplace_back(name, value{object{{"inserts", {number::of(counts.inserts)}},
                                                {"updates", {number::of(counts.updates)}},
                                                {"deletes", {number::of(counts.deletes)}},
                                                {"others", {number::of(counts.others)}}}});
    }
    return answer_of({{"version", {std::string(core::full_version())}},
                      {"id", {facts.id}},
                      {"host", {facts.host}},
                      {"process", {number::of(facts.process)}},
                      {"up_s", {number::of(facts.up.count())}},
                      {"database", {facts.database}},
                      {"connected", {facts.connected}},
                      {"ready", {facts.not_ready.empty()}},
                      {"reasons", {list_of(facts.not_ready)}},
                      {"doorbell", {facts.doorbell}},
                      {"position", {std::to_string(facts.position)}}, // a text: beyond 2^53 some day
                      {"traffic", {std::move(traffic)}}});
}

net::answer sessions_listed(const net::session_listing& found, core::transaction_id position)
{
    object out{{"matching", {number::of(found.matching)}},
               {"sessions", each_of(found.sessions, [&](const auto& each) { return session(each, position); })}};
    if (found.more) {
        out.emplace_back("next", value{next_page(found.sessions.back())});
    }
    return answer_of(std::move(out));
}

net::answer sent_away(std::size_t sessions)
{
    return answer_of({{"sessions", {number::of(sessions)}}});
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
    object log{{"bytes", {number::of(status.log_bytes)}}, {"rows", {number::of(status.log_rows)}}};
    if (!status.oldest_change.empty()) {
        log.emplace_back("oldest_s", seconds(status.oldest_age_s));
    }
    log.emplace_back("retention_s", seconds(std::chrono::duration<double>(keep.age).count()));
    log.emplace_back("retention_bytes", value{number::of(keep.size)});
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

net::answer table_watched(const std::string& table, const std::vector<std::string>& warnings)
{
    return answer_of({{"table", {table}}, {"warnings", {list_of(warnings)}}});
}

net::answer table_unwatched(const std::string& table)
{
    return answer_of({{"table", {table}}});
}

net::answer rollout_stands(const config::rollout& now, bool as_configured)
{
    return answer_of({{"websocket", {number::of(now.websocket)}},
                      {"sse", {number::of(now.sse)}},
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
    return answer_of({{"needs_restart", {list_of(needs_restart)}}});
}

net::answer reload_refused(const std::vector<config::problem>& problems)
{
    net::answer out = net::refuse({error_code::configuration_invalid, ""});
    const value all = each_of(problems, [](const config::problem& each) {
        object one;
        if (each.at.line > 0) {
            one = {{"line", {number::of(each.at.line)}}, {"column", {number::of(each.at.column)}}};
        }
        one.emplace_back("message", value{each.message});
        return value{std::move(one)};
    });
    out.body.pop_back(); // a member more (RFC 9457 section 3.2)
    out.body += ",\"problems\":" + protocol::to_json(all) + "}";
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
