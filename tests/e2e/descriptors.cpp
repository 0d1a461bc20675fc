#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>
#include <string>

#include "support/bridge_process.hpp"
#include "support/crowd.hpp"
#include "support/database.hpp"
#include "support/http_client.hpp"
#include "support/raw_client.hpp"

namespace rowcast {
namespace {

using namespace std::chrono_literals;
using support::crowd;

constexpr unsigned most_files = 200;

} // namespace

TEST_CASE("Clients that take every file descriptor do not keep the bridge from those it has, nor from PostgreSQL")
{
    support::database db{support::with_rowcast};
    db.execute("create table t (id bigint generated always as identity primary key, v text); select rowcast.watch('t', notify => true)");
    support::bridge_process bridge{db.url(), "tables: {public.t: [{roles: [anonymous]}]}\n", {.most_files = most_files}};
    bridge.start();
    REQUIRE(bridge.running().error_line_with("limits.sessions is").find("200 file descriptors") != std::string::npos);
    support::http_client asking(bridge.port()); // keeps its connection
    REQUIRE(asking.get("/readyz").status == 200);

    crowd everybody{bridge.port()};
    everybody.clients.resize(most_files);
    for (crowd::client& each : everybody.clients) {
        each.wish = "\"table\":\"public.t\"";
    }
    everybody.connect();
    const auto answered = [](const crowd::client& each) { return each.subscribed == 1 || each.refused; };
    REQUIRE(everybody.run([&] { return everybody.all(answered); }, 20s));
    const auto in = static_cast<std::size_t>(std::count_if(everybody.clients.begin(), everybody.clients.end(), [](const auto& each) { return each.subscribed == 1; }));
    REQUIRE(in > 80);
    REQUIRE(in < everybody.clients.size());
    // Those who say nothing take what was left for requests.
    std::vector<std::unique_ptr<support::raw_client>> silent;
    for (unsigned i = 0; i < most_files; ++i) {
        silent.push_back(std::make_unique<support::raw_client>(bridge.port()));
    }
    REQUIRE(silent.back()->read_all().find("too_many_sessions") != std::string::npos);

    const auto full = asking.get("/readyz");
    REQUIRE(full.status == 503);
    REQUIRE(full.body.find("as many as there may be") != std::string::npos);
    REQUIRE(asking.get("/healthz").status == 200);

    // PostgreSQL ends the bridge's sessions: it needs new ones.
    db.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'rowcast%' and datname = current_database()");
    db.execute("insert into t(v) select 'x' from generate_series(1, 10)");
    REQUIRE(everybody.run([&] { return everybody.all([](const crowd::client& each) { return each.refused || each.keys.size() == 10; }); }, 20s));
    REQUIRE(bridge.metric("rowcast_background_failures_total") == 0);

    // Room again.
    silent.clear();
    for (std::size_t i = 0; i < everybody.clients.size() / 2; ++i) {
        everybody.disconnect(everybody.clients[i]);
    }
    REQUIRE(support::eventually([&] { return support::http_client(bridge.port()).get("/readyz").status == 200; }));
    crowd late{bridge.port()};
    late.clients.resize(10);
    for (crowd::client& each : late.clients) {
        each.wish = "\"table\":\"public.t\"";
    }
    late.connect();
    REQUIRE(late.run([&] { return late.all([](const crowd::client& each) { return each.subscribed == 1; }); }, 20s));
}

} // namespace rowcast
