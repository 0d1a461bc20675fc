#include "cli/diagnosis.hpp"

#include "cli/quantity_text.hpp"
#include "cli/status_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace rowcast::cli {

namespace {

using postgres::database_health;
using severity = finding::severity;
using std::chrono::seconds;

constexpr int newest_tested = 18;
constexpr int errors_after = 12; // times the tolerance

struct patient {
    const postgres::database_status& status;
    const database_health& health;
    const config::retention* keep;
    const tolerance& within;
};

std::string join(const std::vector<std::string>& words)
{
    std::string out;
    for (const std::string& each : words) {
        out += (out.empty() ? "" : ", ") + each;
    }
    return out;
}

// As SQL has texts.
std::string quoted(const std::string& text)
{
    std::string out = "'";
    for (const char each : text) {
        out += each == '\'' ? "''" : std::string(1, each);
    }
    return out + "'";
}

std::string setting(const database_health& of, const std::string& name)
{
    const auto found = of.settings.find(name);
    return found == of.settings.end() ? "" : found->second;
}

std::vector<finding> triggers(const patient& of)
{
    std::vector<finding> found;
    for (const auto& table : of.health.tables) {
        const std::string lost = "what is written there reaches nobody";
        if (!table.has_key) {
            found.push_back({severity::error, table.name + " has lost its key", "its changes cannot be told apart",
                             "alter table " + table.name + " add primary key (...); or rowcast watch " + table.name +
                                 " --key COLUMN"});
        }
        if (!table.missing.empty()) {
            found.push_back(
                {severity::error, table.name + " lacks triggers, on " + join(table.missing), lost,
                 "select rowcast.refresh(); where that is refused, as its owner and with the columns and the key that it has: rowcast watch " +
                     table.name});
        }
        if (!table.disabled.empty()) {
            found.push_back({severity::error, table.name + " has disabled triggers, on " + join(table.disabled), lost,
                             table.enable});
        }
        if (of.health.has_replica_writers && !table.enable_always.empty()) {
            found.push_back({severity::warning,
                             "triggers of " + table.name +
                                 " do not fire where session_replication_role is replica, and some role's or this "
                                 "database's settings say that",
                             "what is written so reaches nobody", table.enable_always});
        }
        if (table.outdated) {
            found.push_back({severity::warning,
                             table.name + " was altered or renamed, and rowcast has not looked at it since",
                             "columns may be missing from its changes; clients have not been told to read again",
                             "select rowcast.refresh();"});
        }
        if (!table.unrefreshable.empty()) {
            found.push_back({severity::warning, "rowcast may create no triggers on " + join(table.unrefreshable),
                             "when its triggers are lost nobody can repair them but the owner",
                             "grant trigger on " + join(table.unrefreshable) + " to rowcast_refresh;"});
        }
    }
    for (const auto& table : of.status.tables) {
        if (!table.misordering_triggers.empty()) {
            found.push_back({severity::warning,
                             table.name + " is partitioned and has AFTER triggers of its own (" +
                                 join(table.misordering_triggers) + ")",
                             "where one of them changes the same row again, clients end with the older value",
                             "make it a BEFORE trigger, or a statement trigger whose name sorts after \"!rowcast\""});
        }
    }
    if (of.status.tables.empty()) {
        found.push_back(
            {severity::warning, "no table is watched", "there is nothing to be sent", "rowcast watch TABLE"});
    }
    return found;
}

std::vector<finding> rights(const patient& of)
{
    if (of.health.missing_rights.empty()) {
        return {};
    }
    return {{severity::error, "the role " + of.health.role + " lacks " + join(of.health.missing_rights),
             "the bridge cannot work without",
             "rowcast install --grant " + of.health.role + ", or select rowcast.grant_bridge(" +
                 quoted(of.health.role) + ");"}};
}

std::vector<finding> bridges(const patient& of)
{
    std::vector<finding> found;
    if (of.status.bridges.empty()) {
        found.push_back({severity::warning, "no bridge is connected",
                         "nobody gets changes, and nobody keeps the log small", "rowcast serve --config FILE"});
    }
    for (const auto& each : of.status.bridges) {
        for (const std::string& what : bridge_warnings(each, of.status)) {
            found.push_back({severity::warning, each.host + ", process " + std::to_string(each.process) + ": " + what,
                             "its clients miss changes, or will have to start over",
                             "look at its log and its metrics (docs/operations.md)"});
        }
    }
    return found;
}

std::vector<finding> doorbell(const patient& of)
{
    std::vector<finding> found;
    if (of.health.foreign_key_holder) {
        found.push_back({severity::error,
                         "the doorbell's lock is held by " + *of.health.foreign_key_holder + ", which is no bridge",
                         "writers do not ring, so that changes arrive with poll_interval only",
                         "select pg_terminate_backend(" +
                             of.health.foreign_key_holder->substr(4, of.health.foreign_key_holder->find(' ', 4) - 4) +
                             ");"});
    }
    const double usage = of.status.notification_queue_usage;
    if (usage > of.within.queue) {
        const auto& open = of.health.transactions;
        found.push_back(
            {usage >= 0.5 ? severity::error : severity::warning,
             "the notification queue is " + decimal_text(usage * 100, "%") + " full",
             "a session that LISTENs has stayed in a transaction; rowcast stops ringing at 50 %, and at 100 % every "
             "commit with NOTIFY fails",
             open.empty() ? "find it: select * from pg_stat_activity where xact_start is not null order by xact_start;"
                          : "the oldest transaction is of pid " + std::to_string(open.front().process) + " (" +
                                open.front().who + ", database " + open.front().database +
                                "): select pg_terminate_backend(" + std::to_string(open.front().process) + ");"});
    }
    return found;
}

severity weigh(seconds age, const patient& of)
{
    return age > errors_after * of.within.transaction ? severity::error : severity::warning;
}

// Retention removes what is below the oldest transaction id of the cluster, vacuum what is below the oldest snapshot of
// the database.
std::vector<finding> transactions(const patient& of)
{
    std::vector<finding> found;
    for (const auto& each : of.health.transactions) {
        if (each.age > of.within.transaction && (each.here || each.writes)) {
            const std::string process = std::to_string(each.process);
            found.push_back(
                {weigh(each.age, of),
                 "a transaction of pid " + process + " (" + each.who + ", database " + each.database +
                     ") is open for " + age_text(static_cast<double>(each.age.count())) +
                     (each.state.empty() ? "" : ", " + each.state),
                 each.writes ? "nothing that was logged since can be removed from the log"
                             : "vacuum cannot clean up what has died since",
                 "select pg_terminate_backend(" + process +
                     "); against the next one: alter role ... set idle_in_transaction_session_timeout = '5min';"});
        }
    }
    for (const auto& each : of.health.prepared) {
        if (each.age > of.within.transaction) {
            found.push_back({weigh(each.age, of),
                             "the prepared transaction '" + each.name + "' (" + each.owner + ", database " +
                                 each.database + ") waits for " + age_text(static_cast<double>(each.age.count())),
                             "nothing that was logged since can be removed from the log, and no restart ends it",
                             "in that database: rollback prepared " + quoted(each.name) + "; or commit prepared"});
        }
    }
    if (!of.health.sees_sessions) {
        found.push_back({severity::warning, "what other roles' sessions do is hidden from this one",
                         "long transactions cannot be found",
                         "ask as a role with pg_read_all_stats: rowcast doctor --database URL"});
    }
    return found;
}

std::vector<finding> replication(const patient& of)
{
    std::vector<finding> found;
    const auto holds = [](std::uint64_t transactions) {
        return "vacuum cannot clean up after the last " + std::to_string(transactions) + " transactions";
    };
    for (const auto& each : of.health.slots) {
        const bool keeps = !each.active && each.kept_bytes > of.within.kept_wal;
        const bool held = each.held_transactions > of.within.held_transactions;
        if (keeps || held) {
            found.push_back({severity::warning,
                             "the replication slot " + each.name + (each.active ? "" : ", which nobody uses,") +
                                 " keeps " + size_text(each.kept_bytes) + " of write-ahead log",
                             (keeps ? "the disk fills" : "") + std::string(keeps && held ? "; " : "") +
                                 (held ? holds(each.held_transactions) : ""),
                             "where it is not needed: select pg_drop_replication_slot(" + quoted(each.name) +
                                 "); and a bound: max_slot_wal_keep_size"});
        }
    }
    for (const auto& each : of.health.standbys) {
        if (each.held_transactions > of.within.held_transactions) {
            found.push_back(
                {severity::warning, "the standby " + each.name + " holds back vacuum by hot_standby_feedback",
                 holds(each.held_transactions), "end the long query there, or set hot_standby_feedback = off"});
        }
    }
    return found;
}

// What the configuration says, or the most generous bridge.
std::optional<std::pair<double, double>> kept(const patient& of)
{
    if (of.keep) {
        return {{std::chrono::duration<double>(of.keep->age).count(), static_cast<double>(of.keep->size)}};
    }
    std::optional<std::pair<double, double>> most;
    for (const auto& each : of.status.bridges) {
        most = {std::max(most ? most->first : 0, each.retention_age_s),
                std::max(most ? most->second : 0, static_cast<double>(each.retention_bytes))};
    }
    return most;
}

std::vector<finding> log(const patient& of)
{
    std::vector<finding> found;
    const std::string remedy =
        "run a bridge: only bridges remove; if one runs, see what is said about open transactions";
    if (const auto keep = kept(of)) {
        if (of.status.oldest_age_s > of.within.retention * keep->first) {
            found.push_back({severity::warning,
                             "the oldest change is " + age_text(of.status.oldest_age_s) + " old, and retention is " +
                                 age_text(keep->first),
                             "the log grows", remedy});
        }
        if (static_cast<double>(of.status.log_bytes) > of.within.retention * keep->second) {
            found.push_back(
                {severity::warning,
                 "the log takes " + size_text(of.status.log_bytes) + ", and retention is " +
                     size_text(static_cast<std::uint64_t>(keep->second)),
                 "it fills the disk; what is empty inside is used again, but not given back",
                 remedy + "; to give space back: vacuum full rowcast.change_log; (writers wait meanwhile)"});
        }
    }
    if (of.health.dead_log_rows > of.within.dead_rows && of.health.dead_log_rows > of.health.log_rows) {
        found.push_back({severity::warning,
                         std::to_string(of.health.dead_log_rows) + " of the log's rows are dead, " +
                             std::to_string(of.health.log_rows) + " are not",
                         "vacuum does not keep up, and reading the log gets slower",
                         "vacuum (verbose) rowcast.change_log; its output says what holds it back"});
    }
    return found;
}

std::vector<finding> server(const patient& of)
{
    std::vector<finding> found;
    const auto is_off = [&](const std::string& name, severity how_bad, const std::string& why) {
        if (setting(of.health, name) == "off") {
            found.push_back(
                {how_bad, name + " is off", why, "alter system set " + name + " = on; select pg_reload_conf();"});
        }
    };
    if (of.health.version / 10000 > newest_tested) {
        found.push_back({severity::warning, "this is PostgreSQL " + of.status.server_version,
                         "rowcast is tested with 13 to " + std::to_string(newest_tested), "look for a newer rowcast"});
    }
    is_off("fsync", severity::error,
           "a crash of the machine loses commits that clients were told of, or the whole database");
    is_off("full_page_writes", severity::error, "a crash of the machine may damage the log as any other table");
    is_off("autovacuum", severity::error, "nobody cleans up after retention: the log only grows");
    is_off("track_counts", severity::error, "autovacuum does not know what to do: the log only grows");
    is_off("synchronous_commit", severity::warning,
           "commits are sent only once they are on disk, which the bridge has to force each time");
    const double most = std::strtod(setting(of.health, "max_connections").c_str(), nullptr) -
                        std::strtod(setting(of.health, "superuser_reserved_connections").c_str(), nullptr);
    if (static_cast<double>(of.health.connections) > of.within.connections * most) {
        found.push_back({severity::warning,
                         std::to_string(of.health.connections) + " of " + decimal_text(most, "connections are taken"),
                         "a bridge that loses its own may not come back",
                         "a pool for the application, or alter system set max_connections = ...; and a restart"});
    }
    return found;
}

std::vector<finding> clock(const patient& of)
{
    const auto off = of.health.clock_ahead;
    if (std::chrono::abs(off) <= of.within.clock) {
        return {};
    }
    return {{severity::warning,
             "the server's clock is " + age_text(std::abs(std::chrono::duration<double>(off).count())) +
                 (off.count() > 0 ? " ahead of" : " behind") + " this machine's",
             "revocations are dated by the one, tokens are checked by the other: some are refused too early or "
             "accepted too late",
             "synchronise both (timedatectl set-ntp true)"}};
}

struct check {
    const char* subject;
    std::vector<finding> (*look)(const patient&);
};

constexpr std::array<check, 9> checks{{{"rights of the bridge's role", rights},
                                       {"watched tables and their triggers", triggers},
                                       {"bridges", bridges},
                                       {"doorbell", doorbell},
                                       {"change log", log},
                                       {"open transactions", transactions},
                                       {"replication", replication},
                                       {"PostgreSQL and its settings", server},
                                       {"clock", clock}}};

const char* word(severity how_bad)
{
    return how_bad == severity::error ? "error" : "warning";
}

} // namespace

std::vector<examination> diagnose(const postgres::database_status& status, const database_health& health,
                                  const config::retention* keep, const tolerance& within)
{
    std::vector<examination> all;
    for (const check& each : checks) {
        all.push_back({each.subject, each.look({status, health, keep, within})});
    }
    return all;
}

bool has_errors(const std::vector<examination>& all)
{
    return std::any_of(all.begin(), all.end(), [](const examination& one) {
        return std::any_of(one.findings.begin(), one.findings.end(),
                           [](const finding& each) { return each.how_bad == severity::error; });
    });
}

std::string diagnosis_text(const std::vector<examination>& all, const painter& paint)
{
    std::string out;
    for (const examination& one : all) {
        if (one.findings.empty()) {
            out += paint(style::green, "ok") + "       " + printable(one.subject) + "\n";
        }
        for (const finding& each : one.findings) {
            const bool error = each.how_bad == severity::error;
            out += paint(error ? style::red : style::yellow, error ? "error" : "warning") + (error ? "    " : "  ") +
                   printable(one.subject) + ": " + printable(each.what) + "\n           why: " + printable(each.why) +
                   "\n           do:  " + printable(each.remedy) + "\n";
        }
    }
    return out;
}

std::string diagnosis_json(const std::vector<examination>& all)
{
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const examination& one : all) {
        if (one.findings.empty()) {
            out.push_back({{"subject", one.subject}, {"severity", "ok"}});
        }
        for (const finding& each : one.findings) {
            out.push_back({{"subject", one.subject},
                           {"severity", word(each.how_bad)},
                           {"what", each.what},
                           {"why", each.why},
                           {"do", each.remedy}});
        }
    }
    return out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

} // namespace rowcast::cli
