// How fast one subscriber that was away catches up: from the log (its cursor is older than the ring of recent batches)
// and from the ring. Beside it, in the same run, what the least client takes: COPY of the same rows by bare libpq.
//
//     bench/catch_up [--changes N] [--recent N] [--rounds N]

#include <CLI/CLI.hpp>
#include <libpq-fe.h>
#include <pqxx/pqxx>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "counting_client.hpp"
#include "results.hpp"
#include "support/bridge_process.hpp"
#include "support/paths.hpp"
#include "support/postgres_cluster.hpp"
#include "support/process.hpp"

namespace {

using namespace rowcast;
using clock_type = std::chrono::steady_clock;

constexpr auto patience = std::chrono::minutes(2);
constexpr int rows_of_bulk = 25'000;

// A row is some 200 bytes of JSON.
const std::string schema = R"sql(
create table watched (id int primary key, owner_id int not null, status text not null, total numeric(10,2) not null,
                      note text not null, updated_at timestamptz not null);
create procedure write_rows(first int, many int, each int) language plpgsql as $$
begin
  for i in 0 .. many / each - 1 loop
    insert into watched
    select n, n % 1000, 'open', n, repeat('x', 80), now() from generate_series(first + i * each, first + (i + 1) * each - 1) n;
    commit;
  end loop;
end $$;
select rowcast.watch('public.watched', notify => true);
)sql";

double seconds_since(clock_type::time_point begun, clock_type::time_point end = clock_type::now())
{
    return std::chrono::duration<double>(end - begun).count();
}

class benchmark {
public:
    benchmark(int changes, int recent, int rounds)
        : changes_(changes), recent_(recent), rounds_(rounds),
          cluster_({"fsync = on", "shared_buffers = 512MB", "max_wal_size = 8GB", "checkpoint_timeout = 30min"})
    {
        support::run({support::rowcast_binary(), "install", "--database", cluster_.url()});
        execute(schema);
    }

    // `each`: rows of one transaction.
    void measure(const std::string& name, int each, bench::results& found)
    {
        execute("truncate watched");
        execute("truncate rowcast.change_log");
        std::string before;
        {
            support::bridge_process bridge(cluster_.url(), "tables: {public.watched: [{roles: [anonymous]}]}\n");
            bridge.start();
            before = bench::counting_client(bridge.port(), "public.watched").cursor();
        }
        write(1, changes_, each);
        execute("vacuum analyze rowcast.change_log");
        execute("checkpoint");

        support::bridge_process bridge(cluster_.url(), "tables: {public.watched: [{roles: [anonymous]}]}\n");
        bridge.start();
        std::vector<double> bare;
        std::vector<cost> from_log;
        for (int round = 0; round < rounds_; ++round) {
            bare.push_back(copy_log());
            from_log.push_back(catch_up(bridge, before, changes_));
        }

        // The ring: a live subscriber tells when everything has come through.
        bench::counting_client live(bridge.port(), "public.watched");
        write(changes_ + 1, recent_, each);
        if (!live.await(static_cast<std::size_t>(recent_), patience)) {
            throw std::runtime_error("the live subscriber got " + std::to_string(live.events()) + " of " + std::to_string(recent_) + " changes");
        }
        std::vector<cost> from_ring;
        const auto passes = [&] { return bridge.metric("rowcast_catch_up_passes_total"); };
        const auto passes_before = passes();
        for (int round = 0; round < rounds_; ++round) {
            from_ring.push_back(catch_up(bridge, live.cursor(), recent_));
        }
        if (passes() != passes_before) {
            throw std::runtime_error("what was to come from the ring came from the log");
        }
        std::printf("%s\n", name.c_str());
        const double least = bench::median(bare);
        std::printf("  bare libpq, COPY of the log     %8d changes  %7.3f s  %9.0f a second\n", changes_, least, changes_ / least);
        print("one subscriber, from the log ", changes_, from_log);
        std::printf("                                  %.2f times as long as COPY\n", median(from_log, &cost::seconds) / least);
        print("one subscriber, from the ring", recent_, from_ring);
        std::printf("\n");
        std::fflush(stdout);
        const auto keep = [&](const char* from, int count, double seconds, double cpu) {
            found.add({{"transactions_of", each}, {"from", from}, {"changes_a_second", count / seconds}, {"cpu_microseconds", cpu / count * 1e6}});
        };
        keep("COPY", changes_, least, 0);
        keep("the log", changes_, median(from_log, &cost::seconds), median(from_log, &cost::cpu));
        keep("the ring", recent_, median(from_ring, &cost::seconds), median(from_ring, &cost::cpu));
    }

private:
    void execute(const std::string& sql)
    {
        pqxx::connection session = cluster_.connect();
        pqxx::nontransaction(session).exec(sql);
    }

    void write(int first, int many, int each)
    {
        pqxx::connection session = cluster_.connect();
        pqxx::nontransaction writer(session);
        writer.exec("set synchronous_commit = off");
        writer.exec("call write_rows(" + std::to_string(first) + ", " + std::to_string(many) + ", " + std::to_string(each) + ")");
    }

    struct cost {
        double seconds; // from the subscription's first byte to the last event
        double cpu;     // of the bridge, seconds
    };
    cost catch_up(const support::bridge_process& bridge, const std::string& after, int expected)
    {
        const auto cpu_before = bridge.cpu();
        const auto begun = clock_type::now();
        const bench::counting_client client(bridge.port(), "public.watched", after);
        if (client.status() != "resumed" || !client.await(static_cast<std::size_t>(expected), patience)) {
            throw std::runtime_error("the subscriber (" + client.status() + ") got " + std::to_string(client.events()) + " of " +
                                     std::to_string(expected) + " changes");
        }
        return {seconds_since(begun, client.last_came()), (bridge.cpu() - cpu_before).count()};
    }

    static double median(const std::vector<cost>& sample, double cost::*part)
    {
        std::vector<double> parts;
        for (const cost& each : sample) {
            parts.push_back(each.*part);
        }
        return bench::median(std::move(parts));
    }
    static void print(const char* what, int count, const std::vector<cost>& sample)
    {
        const double seconds = median(sample, &cost::seconds);
        std::printf("  %s   %8d changes  %7.3f s  %9.0f a second  %.2f us of the bridge's CPU each\n", what, count, seconds, count / seconds,
                    median(sample, &cost::cpu) / count * 1e6);
    }

    // Seconds; what a change needs of the log, in its order, thrown away as it comes.
    double copy_log()
    {
        const auto begun = clock_type::now();
        PGconn* session = PQconnectdb(cluster_.url().c_str());
        PGresult* started = PQexec(session, "copy (select id, xid, at, op, cause, table_name, new, old from rowcast.change_log order by xid, id) to stdout");
        const bool accepted = PQresultStatus(started) == PGRES_COPY_OUT;
        PQclear(started);
        int rows = 0;
        for (char* row = nullptr; accepted && PQgetCopyData(session, &row, 0) > 0; ++rows) {
            PQfreemem(row);
        }
        const std::string problem = PQerrorMessage(session);
        PQfinish(session);
        if (rows != changes_) {
            throw std::runtime_error("COPY gave " + std::to_string(rows) + " of " + std::to_string(changes_) + " rows: " + problem);
        }
        return seconds_since(begun);
    }

    int changes_;
    int recent_;
    int rounds_;
    support::postgres_cluster cluster_;
};

} // namespace

int main(int argc, char** argv)
{
    int changes = 500'000;
    int recent = 25'000;
    int rounds = 3;
    CLI::App app{"One WebSocket subscriber that catches up, from the log and from the ring, beside a bare COPY of the log"};
    app.add_option("--changes", changes, "to be read from the log")->check(CLI::Range(rows_of_bulk, 20'000'000))->capture_default_str();
    app.add_option("--recent", recent, "to be read from the ring; it keeps 32 MB")->check(CLI::Range(rows_of_bulk, 40'000))->capture_default_str();
    app.add_option("--rounds", rounds, "the figures are medians")->check(CLI::Range(1, 100))->capture_default_str();
    bench::results found(app, "catch_up");
    CLI11_PARSE(app, argc, argv);
    changes -= changes % rows_of_bulk;
    recent -= recent % rows_of_bulk;

    benchmark all(changes, recent, rounds);
    all.measure("rows inserted one by one, each a transaction", 1, found);
    all.measure("rows inserted " + std::to_string(rows_of_bulk) + " in a transaction", rows_of_bulk, found);
    found.write();
    return 0;
}
