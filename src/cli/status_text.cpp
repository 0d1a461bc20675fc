#include "cli/status_text.hpp"

#include "cli/quantity_text.hpp"
#include "cli/text_table.hpp"
#include "core/counted.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace rowcast::cli {

namespace {

using core::counted;

std::string join(const std::vector<std::string>& words)
{
    std::string out;
    for (const std::string& each : words) {
        out += (out.empty() ? "" : ", ") + printable(each);
    }
    return out;
}

std::string tables_text(const postgres::database_status& status, const painter& paint, std::size_t width)
{
    if (status.tables.empty()) {
        return "No table is watched. Watch one: rowcast watch TABLE\n";
    }
    text_table table({"Table", "Columns", "Key", "Doorbell", "Triggers"});
    std::string warnings;
    for (const postgres::watched_table& each : status.tables) {
        const bool fine = each.triggers == "ok";
        table.add({{printable(each.name)},
                   {each.all_columns ? "all" : shortened(join(each.columns), 40)},
                   {join(each.key)},
                   {each.notify ? "rings" : "quiet"},
                   {printable(each.triggers), fine ? style::green : style::red}});
        if (!fine) {
            warnings += paint(style::red, "! ") + printable(each.name) + ": triggers " + printable(each.triggers) +
                        ", changes may be missed. rowcast doctor says how to repair them\n";
        }
        if (!each.misordering_triggers.empty()) {
            warnings += paint(style::yellow, "! ") + printable(each.name) +
                        ": the order of changes to one row may suffer from the trigger " +
                        join(each.misordering_triggers) + " (docs/sql.md)\n";
        }
    }
    return table.print(paint, width) + warnings;
}

// A bridge says something once a minute; one that hangs does not.
constexpr double silent_after_s = 150;

// Retention reaches a cursor soon that has half of the way behind it.
constexpr double halfway = 0.5;

std::string slowest_text(const postgres::bridge_status::slowest_cursor& slowest)
{
    return "the slowest cursor is " + age_text(slowest.behind_s) + " and " + (slowest.more_changes ? "more than " : "") +
           counted(slowest.changes, "change") + " behind";
}

std::string bridge_text(const postgres::bridge_status& bridge)
{
    std::string out = printable(bridge.host) + ", process " + std::to_string(bridge.process) +
                      (bridge.user.empty() ? "" : ", as " + printable(bridge.user)) + ", since " +
                      printable(bridge.started.substr(0, 19)) + "\n" + std::string(13, ' ') + counted(bridge.sessions, "session") + ", " +
                      counted(bridge.subscriptions, "subscription") + ", " + std::to_string(bridge.catching_up) + " catching up; ";
    return out + (bridge.slowest ? slowest_text(*bridge.slowest) : "nobody is behind") + "\n";
}

// What retention will soon do to the slowest client; empty: nothing.
std::string outlook(const postgres::bridge_status& bridge, const postgres::database_status& status)
{
    if (!bridge.slowest) {
        return "";
    }
    const auto& slowest = *bridge.slowest;
    if (slowest.expired) {
        return "retention has passed the slowest cursor: its client will have to start over";
    }
    if (slowest.behind_s > halfway * bridge.retention_age_s) {
        return "the slowest cursor is " + age_text(slowest.behind_s) + " behind, and retention removes what is older than " +
               age_text(bridge.retention_age_s);
    }
    const double part = static_cast<double>(slowest.changes) / static_cast<double>(std::max<std::uint64_t>(status.log_rows, 1));
    const double bytes = std::min(part, 1.0) * static_cast<double>(status.log_bytes);
    if (bytes > halfway * static_cast<double>(bridge.retention_bytes)) {
        return "what the slowest cursor lacks takes " + size_text(static_cast<std::uint64_t>(bytes)) +
               " of the log, and retention removes what is beyond " + size_text(bridge.retention_bytes);
    }
    return "";
}

std::string bridges_text(const postgres::database_status& status, const painter& paint)
{
    if (status.bridges.empty()) {
        return "none is connected. Start one: rowcast serve --config FILE\n";
    }
    std::string out;
    std::string warnings;
    for (const postgres::bridge_status& each : status.bridges) {
        out += (out.empty() ? "" : std::string(13, ' ')) + bridge_text(each);
        for (const std::string& what : bridge_warnings(each, status)) {
            warnings += paint(style::yellow, "! ") + printable(each.host) + ", process " + std::to_string(each.process) + ": " + what + "\n";
        }
    }
    return out + warnings;
}

nlohmann::ordered_json bridge_json(const postgres::bridge_status& bridge, const postgres::database_status& status)
{
    nlohmann::ordered_json out{{"id", bridge.id},
                               {"host", bridge.host},
                               {"process", bridge.process},
                               {"version", bridge.version},
                               {"started", bridge.started},
                               {"seen_s", bridge.seen_s},
                               {"connected", bridge.connected},
                               {"user", bridge.user},
                               {"address", bridge.address},
                               {"sessions", bridge.sessions},
                               {"subscriptions", bridge.subscriptions},
                               {"catching_up", bridge.catching_up},
                               {"slowest_cursor", nullptr},
                               {"position", bridge.position},
                               {"doorbell", bridge.doorbell},
                               {"retention_age_s", bridge.retention_age_s},
                               {"retention_bytes", bridge.retention_bytes},
                               {"warning", nullptr}};
    if (bridge.slowest) {
        out["slowest_cursor"] = {{"behind_s", bridge.slowest->behind_s},
                                 {"changes", bridge.slowest->changes},
                                 {"more_changes", bridge.slowest->more_changes},
                                 {"expired", bridge.slowest->expired}};
    }
    if (const std::string what = outlook(bridge, status); !what.empty()) {
        out["warning"] = what;
    }
    return out;
}

} // namespace

std::vector<std::string> bridge_warnings(const postgres::bridge_status& bridge, const postgres::database_status& status)
{
    std::vector<std::string> found;
    if (!bridge.connected) {
        found.push_back("has no connection any more, and said nothing for " + age_text(bridge.seen_s));
    } else if (bridge.seen_s > silent_after_s) {
        found.push_back("has said nothing for " + age_text(bridge.seen_s) + "; it may hang");
    }
    if (std::string what = outlook(bridge, status); !what.empty()) {
        found.push_back(std::move(what));
    }
    return found;
}

std::string status_text(const postgres::database_status& status, const painter& paint, std::size_t width)
{
    std::string out = paint(style::bold, "rowcast " + printable(status.sql_version)) + " in PostgreSQL " +
                      printable(status.server_version) + ", timeline " + std::to_string(status.timeline) + "\n\n";
    out += tables_text(status, paint, width);
    out += "\nChange log:  about " + std::to_string(status.log_rows) +
           (status.log_rows == 1 ? " change, " : " changes, ") + size_text(status.log_bytes);
    out += status.oldest_change.empty() ? "\n" : "; the oldest is " + age_text(status.oldest_age_s) + " old\n";
    out += "Doorbell:    ";
    out += status.doorbell_holder.empty() ? "rings for each commit\n"
                                          : "quiet, " + printable(status.doorbell_holder) + " reads by itself\n";
    out += "Bridges:     " + bridges_text(status, paint);
    if (status.notification_queue_usage > 0.1) {
        out += paint(style::yellow, "! ") + "The notification queue is " +
               decimal_text(status.notification_queue_usage * 100, "%") +
               " full: some session that LISTENs has stayed in a transaction (see pg_stat_activity).\n";
    }
    return out;
}

std::string status_json(const postgres::database_status& status)
{
    nlohmann::ordered_json tables = nlohmann::ordered_json::array();
    for (const postgres::watched_table& each : status.tables) {
        tables.push_back({{"name", each.name},
                          {"columns", each.columns},
                          {"all_columns", each.all_columns},
                          {"key", each.key},
                          {"notify", each.notify},
                          {"triggers", each.triggers},
                          {"misordering_triggers", each.misordering_triggers}});
    }
    nlohmann::ordered_json bridges = nlohmann::ordered_json::array();
    for (const postgres::bridge_status& each : status.bridges) {
        bridges.push_back(bridge_json(each, status));
    }
    const nlohmann::ordered_json all{
        {"server_version", status.server_version},
        {"sql_version", status.sql_version},
        {"log_id", status.log_id},
        {"timeline", status.timeline},
        {"tables", tables},
        {"log_bytes", status.log_bytes},
        {"log_rows", status.log_rows},
        {"oldest_change",
         status.oldest_change.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(status.oldest_change)},
        {"oldest_age_s", status.oldest_age_s},
        {"bridges", bridges},
        {"doorbell_holder",
         status.doorbell_holder.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(status.doorbell_holder)},
        {"notification_queue_usage", status.notification_queue_usage}};
    return all.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

} // namespace rowcast::cli
