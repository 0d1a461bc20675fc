#include <cstdlib>

#include "app/running_bridge.hpp"
#include "postgres/administration.hpp"
#include "support/database.hpp"
#include "support/raw_client.hpp"
#include "support/subscriber.hpp"

namespace rowcast {
namespace {

using namespace std::chrono_literals;
using support::database;
using support::subscriber;
using support::way;
using support::with_rowcast;
using test::running_bridge;

std::vector<postgres::bridge_status> bridges(const database& db)
{
    auto status = postgres::administration({.url = db.url()}).status();
    REQUIRE(status.has_value());
    return status->bridges;
}

bool becomes(const database& db, const std::function<bool(const std::vector<postgres::bridge_status>&)>& holds)
{
    return support::eventually([&] { return holds(bridges(db)); });
}

} // namespace

TEST_CASE("Status shows each bridge with its clients, from its start to its stop")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key, v text); select rowcast.watch('t', notify => true)");
    {
        const running_bridge one(db.url());
        {
            const running_bridge two(db.url());
            subscriber first(way::websocket, one.port(), {});
            subscriber second(way::sse, one.port(), {});
            CHECK(becomes(db, [](const auto& all) { return all.size() == 2 && all[0].sessions == 2 && all[0].subscriptions == 2 && all[1].sessions == 0; }));
            const auto all = bridges(db);
            CHECK(all[0].process == ::getpid());
            CHECK(all[0].connected);
            CHECK_FALSE(all[0].slowest);
            CHECK(all[0].id != all[1].id);
            CHECK(becomes(db, [](const auto& now) { return now[0].doorbell == "sleeping"; }));
        }
        CHECK(bridges(db).size() == 1);
        CHECK(becomes(db, [](const auto& now) { return now[0].sessions == 0; }));
    }
    CHECK(bridges(db).empty());
}

TEST_CASE("A bridge that is full is not ready, wherever it is asked")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key, v text); select rowcast.watch('t', notify => true)");
    auto settings = test::open_to_all(db.url(), 100ms);
    settings.server.limits.sessions = 1;
    settings.server.admin_token = "0123456789abcdef";
    const running_bridge bridge(settings);
    const auto at = [](std::uint16_t port, const std::string& path) {
        return support::http_client(port).request("GET", path, {{"Authorization", "Bearer 0123456789abcdef"}}, "").body;
    };
    CHECK(at(bridge.admin_port(), "/admin/bridge").find(R"("ready":true)") != std::string::npos);
    const subscriber only(way::websocket, bridge.port(), {});
    for (const std::string& said : {at(bridge.port(), "/readyz"), at(bridge.admin_port(), "/admin/bridge")}) {
        INFO(said);
        CHECK(said.find(R"("ready":false)") != std::string::npos);
        CHECK(said.find("there are 1 sessions, as many as there may be") != std::string::npos);
    }
    CHECK(bridge.not_ready().size() == 1); // what systemd is told
}

TEST_CASE("Status shows how far behind the slowest client is until it has caught up")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key, v text); select rowcast.watch('t', notify => true)");
    running_bridge bridge(db.url());
    subscriber quick(way::websocket, bridge.port(), {});
    support::raw_client slow(bridge.port());
    slow.send("GET /v1/sse?table=public.t HTTP/1.1\r\nHost: localhost\r\n\r\n");
    slow.read_until("event: cursor");
    // More than its socket takes.
    for (int i = 0; i < 20; ++i) {
        db.execute("insert into t select n, repeat('x', 10000) from generate_series(" + std::to_string(i * 100 + 1) + ", " +
                   std::to_string(i * 100 + 100) + ") n");
    }
    support::ids_until(quick, 2000);
    CHECK(becomes(db, [](const auto& all) { return all.at(0).slowest && all[0].slowest->changes > 0 && all[0].catching_up > 0; }));
    bridge.got.wait_for<observe::clients_stand>([](const auto& told) { return told.catching_up > 0 && told.slowest_behind > 0s; });

    const std::size_t until_now = bridge.got.size();
    slow.read_until("\"id\":2000,");
    CHECK(becomes(db, [](const auto& all) { return !all.at(0).slowest && all[0].catching_up == 0; }));
    bridge.got.wait_for<observe::clients_stand>([](const auto& told) { return told.catching_up == 0; }, until_now);
}

} // namespace rowcast
