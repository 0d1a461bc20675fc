// What a session takes of the bridge's memory while nothing happens: by itself, inside TLS, and with a subscription.
//
// What each of these takes by itself is the difference to a session without it.
//
//     bench/memory [--sessions N] [--most BYTES]

#include <CLI/CLI.hpp>
#include <pqxx/pqxx>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "open_files.hpp"
#include "results.hpp"
#include "support/bridge_process.hpp"
#include "support/certificate.hpp"
#include "support/crowd.hpp"
#include "support/paths.hpp"
#include "support/postgres_cluster.hpp"
#include "support/process.hpp"
#include "support/tls_tunnel.hpp"

namespace {

using namespace rowcast;
using namespace std::chrono_literals;
using support::crowd;

constexpr std::size_t first_ones = 500; // so that what all sessions share is there already
constexpr std::size_t at_once = 100;    // what a handshake takes is used again, but a thousand of them take two megabytes

using wish = std::function<std::string(std::size_t)>;

void let_come(crowd& everybody, std::size_t many, const wish& what)
{
    const auto settled = [](const crowd::client& each) { return each.wish.empty() ? each.frames > 0 : each.subscribed > 0; };
    for (const std::size_t end = everybody.clients.size() + many; everybody.clients.size() < end;) {
        std::string its = what(everybody.clients.size());
        everybody.clients.emplace_back().wish = std::move(its);
        if (everybody.clients.size() % at_once != 0 && everybody.clients.size() != end) {
            continue;
        }
        everybody.connect();
        if (!everybody.run([&] { return everybody.all(settled); }, 300s)) {
            throw std::runtime_error("not all sessions are open in time");
        }
    }
}

// Bytes a session.
double measure(const std::string& url, std::size_t sessions, bool tls, const wish& what)
{
    const support::certificate ours("bench");
    support::bridge_process bridge(url, "tables: {public.t: [{roles: [anonymous]}]}\n",
                                   {.server = tls ? "  tls: {certificate: \"" + ours.file() + "\", key: \"" + ours.key() + "\"}\n" : ""});
    bridge.start();
    std::optional<support::tls_tunnel> tunnel;
    if (tls) {
        tunnel.emplace(bridge.port());
    }
    crowd everybody(tls ? tunnel->port() : bridge.port());
    let_come(everybody, first_ones, what);
    const auto before = bridge.memory("VmRSS");
    let_come(everybody, sessions, what);
    return (static_cast<double>(bridge.memory("VmRSS")) - static_cast<double>(before)) / static_cast<double>(sessions);
}

} // namespace

int main(int argc, char** argv)
{
    std::size_t sessions = 9'500;
    std::size_t most = 0;
    CLI::App app{"Resident memory of the bridge by idle session"};
    app.add_option("--sessions", sessions, "how many")->check(CLI::Range(100, 19'000))->capture_default_str();
    app.add_option("--most", most, "bytes that a session without TLS and subscriptions may take; only that is measured then");
    bench::results found(app, "memory");
    CLI11_PARSE(app, argc, argv);
    const std::size_t inside_tls = std::min<std::size_t>(sessions, 4'000);
    const std::size_t all = first_ones + sessions;
    bench::allow_connections(most > 0 ? all : std::max(all, 3 * (first_ones + inside_tls))); // the tunnel has two for each of the clients'

    support::postgres_cluster cluster;
    support::run({support::rowcast_binary(), "install", "--database", cluster.url()});
    {
        pqxx::connection connection = cluster.connect();
        pqxx::nontransaction setup(connection);
        setup.exec("create table t (id bigint generated always as identity primary key, owner int not null);"
                   "select rowcast.watch('public.t', notify => true)");
    }
    const wish nothing = [](std::size_t) { return std::string(); };
    const wish the_same = [](std::size_t) { return std::string("\"table\":\"public.t\""); };
    const wish their_own = [](std::size_t i) { return "\"table\":\"public.t\",\"where\":{\"owner\":{\"eq\":" + std::to_string(i) + "}}"; };

    std::printf("%zu sessions, bytes each\n", sessions);
    const auto tell = [&](const char* kind, double bytes, const char* what = nullptr, double without = 0) {
        std::printf("%-35s %7.0f", kind, bytes);
        if (what != nullptr) {
            std::printf("   %s: %.0f", what, bytes - without);
        }
        std::printf("\n");
        std::fflush(stdout);
        found.add({{"session", kind}, {"bytes", bytes}, {"what", what == nullptr ? "a session" : what}, {"by_itself", bytes - without}});
        return bytes;
    };
    const double idle = tell("idle", measure(cluster.url(), sessions, false, nothing));
    if (most > 0) {
        return idle <= static_cast<double>(most) ? 0 : 1;
    }
    const double shared = tell("with a subscription that all have", measure(cluster.url(), sessions, false, the_same), "a subscription", idle);
    tell("with a subscription of its own", measure(cluster.url(), sessions, false, their_own), "a view of its own", shared);
    tell("idle, inside TLS", measure(cluster.url(), inside_tls, true, nothing), "TLS", idle);
    found.write();
    return 0;
}
