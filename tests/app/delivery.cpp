#include <nlohmann/json.hpp>

#include "app/running_bridge.hpp"
#include "support/database.hpp"
#include "support/websocket_client.hpp"

namespace rowcast {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using support::database;
using support::http_client;
using support::websocket_client;
using support::with_rowcast;
using test::running_bridge;

using sent = observe::events_sent;

// Neither of another day nor of a time to come, were the clock of the database another.
bool is_recent(const sent& what)
{
    return what.logged && std::chrono::abs(std::chrono::system_clock::now() - *what.logged) < 10min;
}

} // namespace

TEST_CASE("What is delivered is known to be as old as the change, pushed or polled")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key, v text); select rowcast.watch('t', notify => true)");
    running_bridge bridge(db.url());
    http_client polling(bridge.port());
    const std::string cursor = json::parse(polling.get("/v1/changes?table=public.t").body).at("cursor");
    websocket_client client(bridge.port());
    client.send({{"type", "subscribe"}, {"id", "o"}, {"table", "public.t"}});
    client.await("subscribed");
    db.execute("insert into t values (1, 'x')");
    client.await("changes");
    CHECK(is_recent(bridge.got.wait_for<sent>([](const auto& each) { return each.transport == "websocket" && each.events == 1 && !each.replayed; })));
    polling.get("/v1/changes?table=public.t&after=" + cursor);
    CHECK(is_recent(bridge.got.wait_for<sent>([](const auto& each) { return each.transport == "poll" && each.events == 1; })));
    bridge.got.wait_for<observe::changes_matched>([](const auto& each) { return each.changes == 1 && each.evaluations == 1 && each.events == 1; });
    bridge.got.wait_for<observe::changes_matched>([](const auto& each) { return each.changes == 0; });

    websocket_client again(bridge.port());
    again.send({{"type", "subscribe"}, {"id", "o"}, {"table", "public.t"}, {"after", cursor}});
    again.await("changes");
    CHECK(is_recent(bridge.got.wait_for<sent>([](const auto& each) { return each.transport == "websocket" && each.replayed; })));
    CHECK(bridge.got.wait_for<observe::came_back>().outcome == "resumed");
}

TEST_CASE("The bridge looks at the log's size and the database's clock")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key, v text); select rowcast.watch('t', notify => true); insert into t values (1, 'x')");
    running_bridge bridge(db.url());
    const auto stands = bridge.got.wait_for<observe::database_stands>();
    CHECK(stands.log_bytes > 0);
    CHECK(stands.log_age > 0s);
    CHECK(stands.log_age < 10min);
    CHECK(std::chrono::abs(stands.clock_offset) <= stands.clock_error + 100ms); // it is the same machine's
    CHECK(stands.notification_queue < 1);
}

} // namespace rowcast
