// How fast subscribers that were away catch up, one and many at once: from the log (their cursor is older than the ring of
// recent batches) and from the ring. Beside it, in the same run, what the least client takes: COPY of the same rows by bare
// libpq.
//
//     bench/catch_up [--changes N] [--recent N] [--subscribers N] [--changes-of-many N] [--rounds N]

#include <CLI/CLI.hpp>
#include <libpq-fe.h>
#include <pqxx/pqxx>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "audience.hpp"
#include "counting_client.hpp"
#include "open_files.hpp"
#include "results.hpp"
#include "support/bridge_process.hpp"
#include "support/paths.hpp"
#include "support/postgres_cluster.hpp"
#include "support/process.hpp"

namespace {

using namespace rowcast;
using clock_type = std::chrono::steady_clock;

constexpr auto patience = std::chrono::minutes(5);
constexpr int rows_of_bulk = 25'000;
const std::string rules = "tables: {public.watched: [{roles: [anonymous]}]}\n";

// A row is some 200 bytes of JSON, with what an audience counts in it once.
const std::string schema = R"sql(
create table watched (id int primary key, owner_id int not null, status text not null, total numeric(10,2) not null,
                      note text not null, updated_at timestamptz not null);
create procedure write_rows(first int, many int, each int) language plpgsql as $$
begin
  for i in 0 .. many / each - 1 loop
    insert into watched
    select n, n % 1000, 'open', n, repeat('x', 79) || '~', now() from generate_series(first + i * each, first + (i + 1) * each - 1) n;
    commit;
  end loop;
end $$;
select rowcast.watch('public.watched', notify => true);
)sql";

double seconds_since(clock_type::time_point begun, clock_type::time_point end = clock_type::now())
{
    return std::chrono::duration<double>(end - begun).count();
}

// How much: changes of others, and who reads them.
struct extent {
    int changes = 500'000;        // that one subscriber reads from the log
    int changes_of_many = 100'000; // that each of many does
    int recent = 25'000;          // from the ring
    int subscribers = 100;        // that many are
    int rounds = 3;
};

class benchmark {
public:
    explicit benchmark(const extent& of) : of_(of), cluster_({"fsync = on", "shared_buffers = 512MB", "max_wal_size = 8GB", "checkpoint_timeout = 30min"})
    {
        support::run({support::rowcast_binary(), "install", "--database", cluster_.url()});
        execute(schema);
    }

    // `each`: rows of one transaction.
    void measure(const std::string& name, int each, bench::results& found)
    {
        execute("truncate watched");
        execute("truncate rowcast.change_log");
        const std::string before = newest_cursor();
        write(1, of_.changes - of_.changes_of_many, each);
        const std::string before_many = newest_cursor();
        write(of_.changes - of_.changes_of_many + 1, of_.changes_of_many, each);
        execute("vacuum analyze rowcast.change_log");
        execute("checkpoint");

        support::bridge_process bridge(cluster_.url(), rules);
        bridge.start();
        std::vector<double> bare;
        std::vector<cost> from_log;
        std::vector<cost> many_from_log;
        for (int round = 0; round < of_.rounds; ++round) {
            bare.push_back(copy_log());
            from_log.push_back(catch_up(bridge, before, of_.changes, 1));
            many_from_log.push_back(catch_up(bridge, before_many, of_.changes_of_many, of_.subscribers));
        }

        // The ring: a live subscriber tells when everything has come through.
        bench::counting_client live(bridge.port(), "public.watched");
        write(of_.changes + 1, of_.recent, each);
        if (!live.await(static_cast<std::size_t>(of_.recent), patience)) {
            throw std::runtime_error("the live subscriber got " + std::to_string(live.events()) + " of " + std::to_string(of_.recent) + " changes");
        }
        std::vector<cost> from_ring;
        std::vector<cost> many_from_ring;
        for (int round = 0; round < of_.rounds; ++round) {
            from_ring.push_back(catch_up(bridge, live.cursor(), of_.recent, 1));
            many_from_ring.push_back(catch_up(bridge, live.cursor(), of_.recent, of_.subscribers));
        }
        if (median(from_log, &cost::passes) == 0 || median(many_from_log, &cost::passes) == 0) {
            throw std::runtime_error("what was to come from the log came from the ring");
        }
        if (std::any_of(from_ring.begin(), from_ring.end(), [](const cost& one) { return one.passes > 0; }) ||
            std::any_of(many_from_ring.begin(), many_from_ring.end(), [](const cost& one) { return one.passes > 0; })) {
            throw std::runtime_error("what was to come from the ring came from the log");
        }
        std::printf("%s\n", name.c_str());
        const double least = bench::median(bare);
        std::printf("  bare libpq, COPY of the log      %8d changes  %7.3f s  %9.0f a second\n", of_.changes, least, of_.changes / least);
        found.add({{"transactions_of", each}, {"from", "COPY"}, {"subscribers", 1}, {"changes_a_second", of_.changes / least}});
        const auto tell = [&](const char* from, int changes, int subscribers, const std::vector<cost>& sample) {
            const double seconds = median(sample, &cost::seconds);
            const double deliveries = static_cast<double>(changes) * subscribers;
            const double cpu = median(sample, &cost::cpu) / deliveries * 1e6;
            const double passes = median(sample, &cost::passes);
            std::printf("  %5d subscriber%s, from %-8s %8d changes  %7.3f s  %9.0f a second in all  %.2f us of the bridge's CPU each  %3.0f passes over the log\n",
                        subscribers, subscribers == 1 ? " " : "s", from, changes, seconds, deliveries / seconds, cpu, passes);
            found.add({{"transactions_of", each}, {"from", from}, {"subscribers", subscribers}, {"changes_a_second", deliveries / seconds}, {"cpu_microseconds", cpu}, {"passes", passes}});
        };
        tell("the log", of_.changes, 1, from_log);
        tell("the log", of_.changes_of_many, of_.subscribers, many_from_log);
        tell("the ring", of_.recent, 1, from_ring);
        tell("the ring", of_.recent, of_.subscribers, many_from_ring);
        std::printf("  one from the log takes %.2f times as long as COPY\n\n", median(from_log, &cost::seconds) / least);
        std::fflush(stdout);
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

    // Of a subscriber that has had everything.
    std::string newest_cursor()
    {
        support::bridge_process bridge(cluster_.url(), rules);
        bridge.start();
        return bench::counting_client(bridge.port(), "public.watched").cursor();
    }

    struct cost {
        double seconds; // from the first connection to the last change
        double cpu;     // of the bridge, seconds
        double passes;  // over the log
    };
    // All that the `subscribers` have missed since `after`.
    static cost catch_up(const support::bridge_process& bridge, const std::string& after, int changes, int subscribers)
    {
        const nlohmann::json subscribe = {{"type", "subscribe"}, {"id", "b"}, {"table", "public.watched"}, {"after", after}};
        const double passes_before = bridge.metric("rowcast_catch_up_passes_total");
        const auto cpu_before = bridge.cpu();
        const auto begun = clock_type::now();
        bench::audience everybody({bridge.port(), "/v1/ws", subscribe.dump(), ""}, static_cast<std::size_t>(subscribers));
        everybody.await(static_cast<std::uint64_t>(changes) * static_cast<std::uint64_t>(subscribers), patience);
        return {seconds_since(begun), (bridge.cpu() - cpu_before).count(), bridge.metric("rowcast_catch_up_passes_total") - passes_before};
    }

    static double median(const std::vector<cost>& sample, double cost::*part)
    {
        std::vector<double> parts;
        for (const cost& each : sample) {
            parts.push_back(each.*part);
        }
        return bench::median(std::move(parts));
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
        if (rows != of_.changes) {
            throw std::runtime_error("COPY gave " + std::to_string(rows) + " of " + std::to_string(of_.changes) + " rows: " + problem);
        }
        return seconds_since(begun);
    }

    extent of_;
    support::postgres_cluster cluster_;
};

} // namespace

int main(int argc, char** argv)
{
    extent of;
    CLI::App app{"WebSocket subscribers that catch up, one and many at once, from the log and from the ring, beside a bare COPY of the log"};
    app.add_option("--changes", of.changes, "that one reads from the log")->check(CLI::Range(2 * rows_of_bulk, 20'000'000))->capture_default_str();
    app.add_option("--recent", of.recent, "to be read from the ring; it keeps 32 MB")->check(CLI::Range(rows_of_bulk, 40'000))->capture_default_str();
    app.add_option("--subscribers", of.subscribers, "that many are")->check(CLI::Range(2, 10'000))->capture_default_str();
    app.add_option("--changes-of-many", of.changes_of_many, "that each of them reads from the log, of the latest")->check(CLI::Range(2 * rows_of_bulk, 20'000'000))->capture_default_str();
    app.add_option("--rounds", of.rounds, "the figures are medians")->check(CLI::Range(1, 100))->capture_default_str();
    bench::results found(app, "catch_up");
    CLI11_PARSE(app, argc, argv);
    bench::allow_connections(static_cast<std::size_t>(of.subscribers));
    of.changes -= of.changes % rows_of_bulk;
    of.changes_of_many = std::min(of.changes_of_many - of.changes_of_many % rows_of_bulk, of.changes);
    of.recent -= of.recent % rows_of_bulk;

    benchmark all(of);
    all.measure("rows inserted one by one, each a transaction", 1, found);
    all.measure("rows inserted " + std::to_string(rows_of_bulk) + " in a transaction", rows_of_bulk, found);
    found.write();
    return 0;
}
