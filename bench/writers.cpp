// What watching costs the application's writers: pgbench on four tables that differ only in who looks on, in turns, on
// the same PostgreSQL. The bridge runs and one subscriber takes every change. Beside throughput and latency: WAL, and what
// the log takes of the disk.
//
//     bench/writers [--clients 1,8,32] [--rows 1,100,10000] [--flush normal,slow,none] [--rounds N] [--seconds S]

#include <CLI/CLI.hpp>
#include <pqxx/pqxx>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

#include "counting_client.hpp"
#include "results.hpp"
#include "support/bridge_process.hpp"
#include "support/paths.hpp"
#include "support/postgres_cluster.hpp"
#include "support/process.hpp"

namespace {

using namespace rowcast;
using bench::median;

constexpr int table_rows = 20'000;
// Not counted: caches fill, and the bridge notices that the log is busy.
constexpr int warm_up_seconds = 2;
constexpr auto patience = std::chrono::minutes(2);

// `shop` is the application: an ordinary role that owns its tables. The audit log has the change log's columns, defaults
// and index, and gets the same content; what is not known to a row trigger is a constant.
const std::string schema = R"sql(
create role shop login;
create table unwatched (id int primary key, owner_id int not null, status text not null, total numeric(10,2) not null,
                        note text not null, updated_at timestamptz not null);
insert into unwatched select i, i % 1000, 'open', i, repeat('x', 60), now() from generate_series(1, 20000) i;
create table audited (like unwatched including all);
create table watched (like unwatched including all);
create table notifying (like unwatched including all);
insert into audited table unwatched;
insert into watched table unwatched;
insert into notifying table unwatched;

create table audit_log (like rowcast.change_log including all);
create function audit() returns trigger language plpgsql as $$
begin
  insert into audit_log (call, table_name, op, key_columns, new, old)
  values (0, 'public.audited', tg_op, '{id}', row_to_json(new), row_to_json(old));
  return null;
end $$;
create trigger audit after update on audited for each row execute function audit();

create function audit_and_notify() returns trigger language plpgsql as $$
begin
  insert into audit_log (call, table_name, op, key_columns, new, old)
  values (0, 'public.notifying', tg_op, '{id}', row_to_json(new), row_to_json(old));
  perform pg_notify('changes', new.id::text);
  return null;
end $$;
create trigger audit after update on notifying for each row execute function audit_and_notify();

alter table unwatched owner to shop;
alter table audited owner to shop;
alter table watched owner to shop;
alter table notifying owner to shop;
alter table audit_log owner to shop;
select rowcast.watch('public.watched', notify => true);
)sql";

const std::vector<std::string> tables = {"unwatched", "audited", "watched", "notifying"};
const std::map<std::string, const char*> names = {
    {"unwatched", "unwatched"}, {"audited", "plain audit trigger"}, {"watched", "watched by rowcast"}, {"notifying", "audit that notifies"}};

// Of a commit.
const std::map<std::string, std::string> flushes = {{"normal", ""}, {"slow", "commit_delay = 1000"}, {"none", "synchronous_commit = off"}};
// One client, where nothing waits for the disk: what a statement itself costs. Many, where the disk is slow: what commits make each other wait.
const std::vector<std::string> of_one_client = {"normal", "none"};
const std::vector<std::string> of_many_clients = {"normal", "slow"};
// An UPDATE of more rows is measured with one client only: many would wait for each other's rows.
constexpr int most_rows_of_many_clients = 100;

double number_after(const std::string& text, const std::string& words)
{
    const auto at = text.find(words);
    if (at == std::string::npos) {
        throw std::runtime_error("pgbench did not say \"" + words + "\": " + text);
    }
    return std::stod(text.substr(at + words.size()));
}

struct pace {
    double a_second = 0; // transactions
    double latency_ms = 0;
};

// "progress: 3.0 s, 1234.5 tps, lat 0.810 ms stddev ...": one line a second.
pace after_warm_up(const std::string& progress, int seconds)
{
    std::istringstream lines(progress);
    std::string line;
    double transactions = 0;
    double waited = 0;
    int seen = 0;
    while (std::getline(lines, line)) {
        if (line.starts_with("progress: ") && ++seen > warm_up_seconds && seen <= warm_up_seconds + seconds) {
            if (const double these = number_after(line, " s, "); these > 0) {
                transactions += these;
                waited += these * number_after(line, " lat ");
            }
        }
    }
    if (transactions == 0) {
        throw std::runtime_error("pgbench told no progress: " + progress);
    }
    return {transactions / std::min(seen - warm_up_seconds, seconds), waited / transactions};
}

class benchmark {
public:
    benchmark() : cluster_({"fsync = on", "max_connections = 200", "shared_buffers = 512MB", "max_wal_size = 8GB", "checkpoint_timeout = 30min", "commit_siblings = 0"})
    {
        support::run({support::rowcast_binary(), "install", "--database", cluster_.url()});
        execute(schema);
        const std::string bindir = support::run({support::source_dir() / "tests/support/cluster", "bindir"});
        pgbench_ = std::filesystem::path(bindir.substr(0, bindir.find('\n'))) / "pgbench";
        url_ = cluster_.url();
        url_.replace(url_.rfind("postgres"), 8, "shop"); // "...&user=postgres"
    }

    struct conditions {
        int clients;
        int rows; // of an UPDATE
        std::string flush;
        int rounds;
        int seconds;
    };

    void measure(const conditions& under, bench::results& found)
    {
        execute("alter system reset all");
        if (const std::string& setting = flushes.at(under.flush); !setting.empty()) {
            execute("alter system set " + setting);
        }
        execute("select pg_reload_conf()");
        execute("truncate rowcast.change_log, audit_log");
        execute("vacuum analyze");
        execute("checkpoint");
        support::bridge_process bridge(cluster_.url(), "tables: {public.watched: [{roles: [anonymous]}]}\n");
        bridge.start();
        const bench::counting_client subscriber(bridge.port(), "public.watched");

        rounds all;
        std::map<std::string, std::size_t> changes;
        for (int round = 0; round < under.rounds; ++round) {
            for (std::size_t turn = 0; turn < tables.size(); ++turn) {
                const std::string& table = tables[(turn + static_cast<std::size_t>(round)) % tables.size()];
                const result one = run(table, under);
                all[table].push_back(one);
                changes[table] += one.changes;
            }
        }
        if (!subscriber.await(changes["watched"], patience)) {
            throw std::runtime_error("the subscriber got " + std::to_string(subscriber.events()) + " of " + std::to_string(changes["watched"]) + " changes");
        }
        report(under, all, {{"audited", row_size("audit_log", changes["audited"] + changes["notifying"])}, {"watched", row_size("rowcast.change_log", changes["watched"])}},
               found);
    }

private:
    struct result {
        double a_second;   // transactions
        double latency_ms; // as the client sees it
        double wal;        // bytes a changed row
        std::size_t changes;
    };
    using rounds = std::map<std::string, std::vector<result>>; // by table

    void execute(const std::string& sql)
    {
        pqxx::connection session = cluster_.connect();
        pqxx::nontransaction(session).exec(sql);
    }

    long number(const std::string& sql)
    {
        pqxx::connection session = cluster_.connect();
        return pqxx::nontransaction(session).exec(sql)[0][0].as<long>();
    }

    // Bytes of the disk that a row of it takes, with its index. Retention, which leaves the file as large, must not have been at work.
    double row_size(const std::string& log, std::size_t rows)
    {
        if (const long left = number("select count(*) from " + log); left != static_cast<long>(rows)) {
            throw std::runtime_error(log + " has " + std::to_string(left) + " rows of " + std::to_string(rows) + ": fewer --rounds or --seconds keep it below what retention leaves");
        }
        return static_cast<double>(number("select pg_total_relation_size('" + log + "')")) / static_cast<double>(rows);
    }

    result run(const std::string& table, const conditions& under)
    {
        const std::filesystem::path script = std::filesystem::temp_directory_path() / ("rowcast-writers-" + std::to_string(::getpid()) + ".sql");
        std::ofstream(script) << "\\set k random(1, " << table_rows - under.rows + 1 << ")\n"
                              << "update " << table << " set total = total + 1, updated_at = now() where id "
                              << (under.rows == 1 ? std::string("= :k") : "between :k and :k + " + std::to_string(under.rows - 1)) << ";\n";
        const auto wal = [&] { return number("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn"); };
        const long wal_before = wal();
        support::process pgbench({pgbench_, "--no-vacuum", "--protocol=prepared", "--client=" + std::to_string(under.clients),
                                  "--jobs=" + std::to_string(std::min(under.clients, 2)), "--progress=1",
                                  "--time=" + std::to_string(warm_up_seconds + under.seconds), "--file=" + script.string(), url_});
        const std::string said = pgbench.rest(patience);
        const std::string progress = pgbench.error_rest(patience);
        std::filesystem::remove(script);
        if (pgbench.wait() != 0) {
            throw std::runtime_error("pgbench: " + progress);
        }
        const auto changes = static_cast<std::size_t>(number_after(said, "number of transactions actually processed: ")) * static_cast<std::size_t>(under.rows);
        const pace its = after_warm_up(progress, under.seconds);
        return {its.a_second, its.latency_ms, static_cast<double>(wal() - wal_before) / static_cast<double>(changes), changes};
    }

    // The median of what `tell` makes of each round's result and that on the other table.
    template <class Tell>
    static double median_of(const rounds& all, const std::string& table, const std::string& other, Tell tell)
    {
        std::vector<double> told;
        for (std::size_t i = 0; i < all.at(table).size(); ++i) {
            told.push_back(tell(all.at(table)[i], all.at(other)[i]));
        }
        return median(std::move(told));
    }

    // `log`: bytes of the disk a change.
    static void report(const conditions& under, const rounds& all, const std::map<std::string, double>& log, bench::results& found)
    {
        const auto share = [](const result& of, const result& in) { return of.a_second / in.a_second; };
        // From the time that a transaction takes in one client.
        const auto added = [&](const result& with, const result& without) {
            return (1 / with.a_second - 1 / without.a_second) * 1e6 * under.clients / under.rows;
        };
        std::printf("%d client%s, UPDATE of %d row%s, %s flush\n", under.clients, under.clients == 1 ? "" : "s", under.rows, under.rows == 1 ? "" : "s",
                    under.flush == "slow" ? "slow (1 ms)" : under.flush == "none" ? "no" : "normal");
        nlohmann::json figure = {{"clients", under.clients}, {"rows", under.rows}, {"flush", under.flush}, {"rounds", under.rounds}};
        for (const std::string& table : tables) {
            const double speed = median_of(all, table, table, [](const result& its, const result&) { return its.a_second; });
            const double latency = median_of(all, table, table, [](const result& its, const result&) { return its.latency_ms; });
            const double wal = median_of(all, table, table, [](const result& its, const result&) { return its.wal; });
            std::printf("  %-20s %8.0f tx/s  %8.3f ms  %6.0f bytes of WAL a row", names.at(table), speed, latency, wal);
            nlohmann::json& its = figure["tables"][table] = {{"a_second", speed}, {"latency_ms", latency}, {"wal_bytes", wal}};
            if (table != "unwatched") {
                its["share"] = median_of(all, table, "unwatched", share);
                its["added_microseconds"] = median_of(all, table, "unwatched", added);
                std::printf("  %5.1f %% of unwatched  %7.1f us a row more", 100 * its["share"].get<double>(), its["added_microseconds"].get<double>());
            }
            if (table == "watched") {
                its["share_of_audited"] = median_of(all, table, "audited", share);
                std::printf("  %5.1f %% of the audit trigger", 100 * its["share_of_audited"].get<double>());
            }
            if (const auto size = log.find(table); size != log.end()) {
                its["log_bytes"] = size->second;
                std::printf("  %4.0f bytes of log a row", size->second);
            }
            std::printf("\n");
        }
        std::printf("\n");
        std::fflush(stdout);
        found.add(std::move(figure));
    }

    support::postgres_cluster cluster_;
    std::filesystem::path pgbench_;
    std::string url_; // as the application
};

} // namespace

int main(int argc, char** argv)
{
    std::vector<int> clients = {1, 8, 32};
    std::vector<int> rows = {1, 100, 10'000};
    std::vector<std::string> wanted;
    int rounds = 3;
    int seconds = 3;
    CLI::App app{"Writers on an unwatched, an audited, a watched and a notifying table: figures are medians of rounds in turns"};
    app.add_option("--clients", clients, "of pgbench")->delimiter(',')->check(CLI::Range(1, 150))->capture_default_str();
    app.add_option("--rows", rows, "that one UPDATE changes; more than " + std::to_string(most_rows_of_many_clients) + ", of one client only")->delimiter(',')->check(CLI::Range(1, table_rows))->capture_default_str();
    app.add_option("--flush", wanted, "of a commit: normal; slow: a millisecond longer; none: nobody waits for it (default: normal and none for one client, normal and slow for more)")
        ->delimiter(',')
        ->check(CLI::IsMember({"normal", "slow", "none"}));
    app.add_option("--rounds", rounds)->check(CLI::Range(1, 1000))->capture_default_str();
    app.add_option("--seconds", seconds, "for each table and round, behind " + std::to_string(warm_up_seconds) + " that are not counted")->check(CLI::Range(1, 100))->capture_default_str();
    bench::results found(app, "writers");
    CLI11_PARSE(app, argc, argv);

    benchmark all;
    for (const int rows_each : rows) {
        for (const int clients_each : clients) {
            if (clients_each > 1 && rows_each > most_rows_of_many_clients) {
                continue;
            }
            for (const std::string& flush : !wanted.empty() ? wanted : clients_each == 1 ? of_one_client : of_many_clients) {
                all.measure({clients_each, rows_each, flush, rounds, seconds}, found);
            }
        }
    }
    found.write();
    return 0;
}
