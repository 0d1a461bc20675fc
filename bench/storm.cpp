// A reconnect storm: the bridge is killed and started again, changes are made meanwhile, and all its clients come back
// at once with their cursors: with what they missed in the bridge's memory, and beyond it. Before that only their connections
// break, as at a restart of a proxy, while others make changes one by one. At last it is restarted,
// tells each client when to come back, and finds the same listening socket: how late are they live again?
//
//     bench/storm [--clients N] [--steps CHANGES] [--beyond CHANGES]

#include <CLI/CLI.hpp>
#include <pqxx/pqxx>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "open_files.hpp"
#include "results.hpp"
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

// Of a client that is told to come back.
struct farewell {
    clock_type::time_point told; // that moment
    std::chrono::milliseconds wait{0};
    std::optional<clock_type::time_point> back; // subscribed again
};

std::vector<farewell> restart(rowcast::support::bridge_process& bridge, crowd& everybody)
{
    std::vector<farewell> all(everybody.clients.size());
    std::size_t missing = all.size();
    everybody.heard = [&](crowd::client& one, std::string_view message) {
        farewell& its = all[static_cast<std::size_t>(&one - everybody.clients.data())];
        if (message.find("\"goodbye\"") != std::string_view::npos) {
            its.told = clock_type::now();
            its.wait = std::chrono::round<std::chrono::milliseconds>(*one.comes_back - its.told);
        } else if (message.find("\"subscribed\"") != std::string_view::npos && !its.back) {
            its.back = clock_type::now();
            --missing;
        }
    };
    std::jthread operations([&](const std::stop_token& seen) { // the bridge ends with the thread that has started it
        bridge.stop();
        bridge.start();
        std::mutex mutex;
        std::unique_lock lock(mutex);
        std::condition_variable_any().wait(lock, seen, [] { return false; });
    });
    must(everybody.run([&] { return missing == 0; }, 300s), "those who were told to come back");
    everybody.heard = nullptr;
    return all;
}

} // namespace

int main(int argc, char** argv)
{
    std::size_t clients = 10'000;
    std::size_t beyond = 150'000;
    std::size_t steps = 2'000;
    CLI::App app{"Reconnect storm: clients that come back at once, from memory and from the log"};
    app.add_option("--clients", clients, "how many")->check(CLI::Range(1, 19'000))->capture_default_str();
    app.add_option("--steps", steps, "changes of others in between, one by one, where only the connections break")->check(CLI::Range(0, 20'000))->capture_default_str();
    app.add_option("--beyond", beyond, "changes of others in between, beyond what the bridge keeps in memory")->check(CLI::Range(0, 10'000'000))->capture_default_str();
    rowcast::bench::results found(app, "storm");
    CLI11_PARSE(app, argc, argv);
    rowcast::bench::allow_connections(clients);

    rowcast::support::postgres_cluster cluster({"fsync = on"});
    pqxx::connection connection = cluster.connect();
    rowcast::support::run({rowcast::support::rowcast_binary(), "install", "--database", cluster.url()});
    const auto execute = [&](const std::string& sql) {
        pqxx::nontransaction run(connection);
        return run.exec(sql);
    };
    execute("create table t (id bigint generated always as identity primary key, owner int not null, v text);"
            "create procedure a_while(steps int) language plpgsql as "
            "$$ begin for i in 1 .. steps loop insert into t(owner) values (-1); commit; perform pg_sleep(0.004); end loop; end $$;"
            "select rowcast.watch('public.t', notify => true)");
    const std::string for_each = "insert into t(owner) select i from generate_series(0, " + std::to_string(clients - 1) + ") i";
    const auto queries = [&] {
        execute("select pg_stat_clear_snapshot()");
        return execute("select sum(calls) from (select xact_commit + xact_rollback as calls from pg_stat_database where datname = current_database()) s")[0][0].as<long>();
    };

    rowcast::support::bridge_process bridge(cluster.url(), "tables: {public.t: [{roles: [anonymous]}]}\n", {.held = true});
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
    std::printf("                                all subscribed   all have what they missed   sessions/s   passes   transactions   memory\n");

    std::size_t expected = 0;
    const auto come_back = [&](const std::string& from, bool restarted, const std::string& meanwhile) {
        if (restarted) {
            bridge.kill();
        } else {
            for (crowd::client& each : everybody.clients) {
                everybody.disconnect(each);
            }
        }
        must(everybody.run([&] { return everybody.all([](const crowd::client& each) { return !each.connected; }); }, 60s), "the end of the connections");
        for (crowd::client& each : everybody.clients) {
            each.refused = false;
        }
        execute(for_each);
        execute(meanwhile);
        execute(for_each);
        expected += 2;
        if (restarted) {
            bridge.start();
        }
        const long before = queries();
        const std::size_t subscribed = everybody.clients.front().subscribed;
        began = clock_type::now();
        everybody.connect();
        must(everybody.run([&] { return everybody.all([&](const crowd::client& each) { return each.subscribed > subscribed; }); }, 300s), "the subscriptions");
        const double answered = seconds_since(began);
        must(everybody.run([&] { return everybody.all([&](const crowd::client& each) { return each.keys.size() == expected; }); }, 300s), "what they missed");
        const double complete = seconds_since(began);
        const long transactions = queries() - before;
        std::printf("%-28s  %12.1f s   %23.1f s   %10.0f   %6.0f   %12ld   %4.0f MB\n", from.c_str(), answered, complete,
                    double(clients) / complete, bridge.metric("rowcast_catch_up_passes_total"), transactions, double(bridge.memory("VmHWM")) / 1e6);
        std::fflush(stdout);
        found.add({{"from", from}, {"clients", clients}, {"subscribed_seconds", answered}, {"complete_seconds", complete},
                   {"passes", bridge.metric("rowcast_catch_up_passes_total")}, {"transactions", transactions}, {"megabytes", double(bridge.memory("VmHWM")) / 1e6}});
    };
    come_back("memory, in steps", false, "call a_while(" + std::to_string(steps) + ")");
    come_back("memory", true, ";");
    come_back("the log", true, "insert into t(owner, v) select -1, repeat('x', 100) from generate_series(1, " + std::to_string(beyond) + ")");
    const std::vector<farewell> told = restart(bridge, everybody);
    std::vector<double> late;
    nlohmann::json points = nlohmann::json::array(); // some hundreds of them are enough for a picture
    for (std::size_t i = 0; i < told.size(); ++i) {
        const double back = std::chrono::duration<double>(*told[i].back - told[i].told).count();
        const double wait = std::chrono::duration<double>(told[i].wait).count();
        late.push_back(back - wait);
        if (i % std::max<std::size_t>(1, told.size() / 300) == 0) {
            points.push_back({std::round(wait * 1000), std::round(back * 1000)});
        }
    }
    std::sort(late.begin(), late.end());
    const auto part = [&](double of) { return late[static_cast<std::size_t>(of * static_cast<double>(late.size() - 1))]; };
    std::printf("\nrestarted: live again %.2f s (median), %.2f s (99 %%), %.2f s (the last) after the moment that each was told\n", part(0.5), part(0.99), part(1));
    found.add({{"from", "restart"}, {"clients", clients}, {"late_seconds", {{"p50", part(0.5)}, {"p99", part(0.99)}, {"most", part(1)}}}, {"told_and_back_ms", std::move(points)}});
    found.write();
    return 0;
}
