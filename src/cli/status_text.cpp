#include "cli/status_text.hpp"

#include "cli/text_table.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cstdio>

namespace rowcast::cli {

namespace {

std::string decimal(double value, const char* unit)
{
    std::array<char, 64> buffer{};
    std::snprintf(buffer.data(), buffer.size(), value < 10 ? "%.1f %s" : "%.0f %s", value, unit);
    return buffer.data();
}

std::string size_text(std::uint64_t bytes)
{
    constexpr std::array units{"bytes", "KB", "MB", "GB", "TB"};
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < units.size(); ++unit) {
        value /= 1024;
    }
    return unit == 0 ? std::to_string(bytes) + " bytes" : decimal(value, units[unit]);
}

std::string age_text(double seconds)
{
    return seconds < 120    ? decimal(seconds, "s")
           : seconds < 7200 ? decimal(seconds / 60, "min")
                            : decimal(seconds / 3600, "h");
}

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
                        ", changes may be missed. Watch it again: rowcast watch " + printable(each.name) + "\n";
        }
        if (!each.misordering_triggers.empty()) {
            warnings += paint(style::yellow, "! ") + printable(each.name) +
                        ": the order of changes to one row may suffer from the trigger " +
                        join(each.misordering_triggers) + " (docs/sql.md)\n";
        }
    }
    return table.print(paint, width) + warnings;
}

std::string bridges_text(const postgres::database_status& status)
{
    if (status.bridges.empty()) {
        return "none is connected. Start one: rowcast serve --config FILE\n";
    }
    std::string out;
    for (const postgres::bridge_session& each : status.bridges) {
        out += (out.empty() ? "" : std::string(13, ' ')) + printable(each.user) + " from " +
               (each.address.empty() ? "this machine" : printable(each.address)) + ", process " +
               std::to_string(each.backend) + ", since " + printable(each.connected_since.substr(0, 19)) + "\n";
    }
    return out;
}

} // namespace

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
    out += "Bridges:     " + bridges_text(status);
    if (status.notification_queue_usage > 0.1) {
        out += paint(style::yellow, "! ") + "The notification queue is " +
               decimal(status.notification_queue_usage * 100, "%") +
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
    for (const postgres::bridge_session& each : status.bridges) {
        bridges.push_back({{"backend", each.backend},
                           {"user", each.user},
                           {"address", each.address},
                           {"connected_since", each.connected_since}});
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
