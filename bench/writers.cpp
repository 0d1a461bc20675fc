// What watching costs the application's writers: pgbench on four tables that differ only in who looks on, in turns, on
// the same PostgreSQL. The bridge runs and one subscriber takes every change.
//
//     bench/writers [--clients 8,32] [--rows 1,100] [--flush normal,slow] [--rounds N] [--seconds S]

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

double number_after(const std::string& text, const std::string& words)
{
    const auto at = text.find(words);
    if (at == std::string::npos) {
        throw std::runtime_error("pgbench did not say \"" + words + "\": " + text);
    }
    return std::stod(text.substr(at + words.size()));
}

// "progress: 3.0 s, 1234.5 tps, lat ...": one line a second.
double after_warm_up(const std::string& progress, int seconds)
{
    std::istringstream lines(progress);
    std::string line;
    double sum = 0;
    int seen = 0;
    while (std::getline(lines, line)) {
        if (line.starts_with("progress: ") && ++seen > warm_up_seconds && seen <= warm_up_seconds + seconds) {
            sum += number_after(line, " s, ");
        }
    }
    const int counted = std::min(seen - warm_up_seconds, seconds);
    if (counted < 1) {
        throw std::runtime_error("pgbench told no progress: " + progress);
    }
    return sum / counted;
}

class benchmark {
public:
    benchmark() : cluster_({"fsync = on", "max_connections = 200", "shared_buffers = 512MB", "max_wal_size = 8GB", "checkpoint_timeout = 30min"})
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
        bool slow_flush;
        int rounds;
        int seconds;
    };

    void measure(const conditions& under, bench::results& found)
    {
        execute(std::string("alter system set commit_delay = ") + (under.slow_flush ? "1000" : "0"));
        execute("alter system set commit_siblings = 0");
        execute("select pg_reload_conf()");
        execute("truncate rowcast.change_log, audit_log");
        execute("vacuum analyze");
        execute("checkpoint");
        support::bridge_process bridge(cluster_.url(), "tables: {public.watched: [{roles: [anonymous]}]}\n");
        bridge.start();
        const bench::counting_client subscriber(bridge.port(), "public.watched");

        std::map<std::string, std::vector<double>> speed; // transactions a second, one for each round
        std::size_t changes = 0;
        for (int round = 0; round < under.rounds; ++round) {
            for (std::size_t turn = 0; turn < tables.size(); ++turn) {
                const std::string& table = tables[(turn + static_cast<std::size_t>(round)) % tables.size()];
                const auto [a_second, all] = run(table, under);
                speed[table].push_back(a_second);
                if (table == "watched") {
                    changes += all * static_cast<std::size_t>(under.rows);
                }
            }
        }
        if (!subscriber.await(changes, patience)) {
            throw std::runtime_error("the subscriber got " + std::to_string(subscriber.events()) + " of " + std::to_string(changes) + " changes");
        }
        report(under, speed, found);
    }

private:
    struct result {
        double a_second;
        std::size_t all;
    };

    void execute(const std::string& sql)
    {
        pqxx::connection session = cluster_.connect();
        pqxx::nontransaction(session).exec(sql);
    }

    result run(const std::string& table, const conditions& under)
    {
        const std::filesystem::path script = std::filesystem::temp_directory_path() / ("rowcast-writers-" + std::to_string(::getpid()) + ".sql");
        std::ofstream(script) << "\\set k random(1, " << table_rows - under.rows + 1 << ")\n"
                              << "update " << table << " set total = total + 1, updated_at = now() where id "
                              << (under.rows == 1 ? std::string("= :k") : "between :k and :k + " + std::to_string(under.rows - 1)) << ";\n";
        support::process pgbench({pgbench_, "--no-vacuum", "--protocol=prepared", "--client=" + std::to_string(under.clients), "--jobs=2", "--progress=1",
                                  "--time=" + std::to_string(warm_up_seconds + under.seconds), "--file=" + script.string(), url_});
        const std::string said = pgbench.rest(patience);
        const std::string progress = pgbench.error_rest(patience);
        std::filesystem::remove(script);
        if (pgbench.wait() != 0) {
            throw std::runtime_error("pgbench: " + progress);
        }
        return {after_warm_up(progress, under.seconds), static_cast<std::size_t>(number_after(said, "number of transactions actually processed: "))};
    }

    static void report(const conditions& under, const std::map<std::string, std::vector<double>>& speed, bench::results& found)
    {
        const auto share = [&](const std::string& of, const std::string& in) {
            std::vector<double> ratios;
            for (std::size_t i = 0; i < speed.at(of).size(); ++i) {
                ratios.push_back(speed.at(of)[i] / speed.at(in)[i]);
            }
            return 100 * median(ratios);
        };
        std::printf("%d clients, UPDATE of %d row%s, %s flush\n", under.clients, under.rows, under.rows == 1 ? "" : "s",
                    under.slow_flush ? "slow (1 ms)" : "normal");
        std::printf("  unwatched             %8.0f tx/s\n", median(speed.at("unwatched")));
        std::printf("  plain audit trigger   %8.0f tx/s  %5.1f %% of unwatched\n", median(speed.at("audited")), share("audited", "unwatched"));
        std::printf("  watched by rowcast    %8.0f tx/s  %5.1f %% of unwatched  %5.1f %% of the audit trigger\n", median(speed.at("watched")),
                    share("watched", "unwatched"), share("watched", "audited"));
        std::printf("  audit that notifies   %8.0f tx/s  %5.1f %% of unwatched\n\n", median(speed.at("notifying")), share("notifying", "unwatched"));
        std::fflush(stdout);
        nlohmann::json figure = {{"clients", under.clients}, {"rows", under.rows}, {"flush", under.slow_flush ? "slow" : "normal"}, {"rounds", under.rounds},
                                 {"unwatched", median(speed.at("unwatched"))}};
        for (const char* table : {"audited", "watched", "notifying"}) {
            figure[table] = share(table, "unwatched") / 100;
        }
        found.add(std::move(figure));
    }

    support::postgres_cluster cluster_;
    std::filesystem::path pgbench_;
    std::string url_; // as the application
};

} // namespace

int main(int argc, char** argv)
{
    std::vector<int> clients = {8, 32};
    std::vector<int> rows = {1, 100};
    std::vector<std::string> flushes = {"normal", "slow"};
    int rounds = 4;
    int seconds = 3;
    CLI::App app{"Writers on an unwatched, an audited, a watched and a notifying table: shares are medians of rounds in turns"};
    app.add_option("--clients", clients, "of pgbench")->delimiter(',')->check(CLI::Range(1, 150))->capture_default_str();
    app.add_option("--rows", rows, "that one UPDATE changes")->delimiter(',')->check(CLI::Range(1, table_rows))->capture_default_str();
    app.add_option("--flush", flushes, "of a commit: slow takes a millisecond longer")->delimiter(',')->check(CLI::IsMember({"normal", "slow"}))->capture_default_str();
    app.add_option("--rounds", rounds)->check(CLI::Range(1, 1000))->capture_default_str();
    app.add_option("--seconds", seconds, "for each table and round, behind " + std::to_string(warm_up_seconds) + " that are not counted")->check(CLI::Range(1, 100))->capture_default_str();
    bench::results found(app, "writers");
    CLI11_PARSE(app, argc, argv);

    benchmark all;
    for (const std::string& flush : flushes) {
        for (const int rows_each : rows) {
            for (const int clients_each : clients) {
                all.measure({clients_each, rows_each, flush == "slow", rounds, seconds}, found);
            }
        }
    }
    found.write();
    return 0;
}
