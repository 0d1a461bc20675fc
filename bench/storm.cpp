// A reconnect storm: the bridge is killed and started again, changes are made meanwhile, and all its clients come back
// at once with their cursors. Twice: with what they missed in the bridge's memory, and beyond it.
//
//     bench/storm [--clients N] [--beyond CHANGES]

#include <CLI/CLI.hpp>
#include <pqxx/pqxx>

#include <chrono>
#include <cstdio>
#include <string>

#include "support/bridge_process.hpp"
#include "support/crowd.hpp"
#include "support/paths.hpp"
#include "support/postgres_cluster.hpp"
#include "support/process.hpp"

namespace {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;
using rowcast::support::crowd;

double seconds_since(clock_type::time_point then)
{
    return std::chrono::duration<double>(clock_type::now() - then).count();
}

void must(bool holds, const char* what)
{
    if (!holds) {
        std::fprintf(stderr, "not in time: %s\n", what);
        std::exit(1);
    }
}

} // namespace

int main(int argc, char** argv)
{
    std::size_t clients = 9'500;
    std::size_t beyond = 150'000;
    CLI::App app{"Reconnect storm: clients that come back at once, from memory and from the log"};
    app.add_option("--clients", clients, "how many")->check(CLI::Range(1, 19'000))->capture_default_str();
    app.add_option("--beyond", beyond, "changes of others in between, the second time")->check(CLI::Range(0, 10'000'000))->capture_default_str();
    CLI11_PARSE(app, argc, argv);

    rowcast::support::postgres_cluster cluster({"fsync = on"});
    pqxx::connection connection = cluster.connect();
    rowcast::support::run({rowcast::support::rowcast_binary(), "install", "--database", cluster.url()});
    const auto execute = [&](const std::string& sql) {
        pqxx::nontransaction run(connection);
        return run.exec(sql);
    };
    execute("create table t (id bigint generated always as identity primary key, owner int not null, v text);"
            "select rowcast.watch('public.t', notify => true)");
    const std::string for_each = "insert into t(owner) select i from generate_series(0, " + std::to_string(clients - 1) + ") i";
    const auto queries = [&] {
        execute("select pg_stat_clear_snapshot()");
        return execute("select sum(calls) from (select xact_commit + xact_rollback as calls from pg_stat_database where datname = current_database()) s")[0][0].as<long>();
    };

    rowcast::support::bridge_process bridge(cluster.url(), "tables: {public.t: [{roles: [anonymous]}]}\n");
    bridge.start();
    crowd everybody(bridge.port());
    everybody.clients.resize(clients);
    for (std::size_t i = 0; i < clients; ++i) {
        everybody.clients[i].wish = "\"table\":\"public.t\",\"where\":{\"owner\":{\"eq\":" + std::to_string(i) + "}}";
    }
    auto began = clock_type::now();
    everybody.connect();
    must(everybody.run([&] { return everybody.all([](const crowd::client& each) { return each.subscribed == 1; }); }, 120s), "the first subscriptions");
    std::printf("%zu clients; first connect and subscribe: %.1f s, memory %.0f MB\n\n", clients, seconds_since(began), double(bridge.memory("VmRSS")) / 1e6);
    std::printf("                     all subscribed   all have what they missed   sessions/s   passes   transactions   memory\n");

    std::size_t expected = 0;
    for (const bool from_memory : {true, false}) {
        bridge.kill();
        must(everybody.run([&] { return everybody.all([](const crowd::client& each) { return !each.connected; }); }, 60s), "the end of the connections");
        for (crowd::client& each : everybody.clients) {
            each.refused = false;
        }
        execute(for_each);
        if (!from_memory) {
            execute("insert into t(owner, v) select -1, repeat('x', 100) from generate_series(1, " + std::to_string(beyond) + ")");
        }
        execute(for_each);
        expected += 2;
        bridge.start();
        const long before = queries();
        const std::size_t subscribed = everybody.clients.front().subscribed;
        began = clock_type::now();
        everybody.connect();
        must(everybody.run([&] { return everybody.all([&](const crowd::client& each) { return each.subscribed > subscribed; }); }, 300s), "the subscriptions");
        const double answered = seconds_since(began);
        must(everybody.run([&] { return everybody.all([&](const crowd::client& each) { return each.keys.size() == expected; }); }, 300s), "what they missed");
        const double complete = seconds_since(began);
        std::printf("from %-12s  %12.1f s   %23.1f s   %10.0f   %6.0f   %12ld   %4.0f MB\n", from_memory ? "memory" : "the log", answered, complete,
                    double(clients) / complete, bridge.metric("rowcast_catch_up_passes_total"), queries() - before, double(bridge.memory("VmHWM")) / 1e6);
        std::fflush(stdout);
    }
    return 0;
}
