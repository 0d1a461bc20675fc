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

const http_client::headers proper{{"Authorization", "Bearer a token of the operators"}, {"Content-Type", "application/json"}};

config::configuration with_operators(const database& db)
{
    db.execute("create table t (id int primary key, v text); select rowcast.watch('t', notify => true)");
    auto settings = test::open_to_all(db.url(), 100ms);
    settings.server.admin_token = "a token of the operators";
    return settings;
}

} // namespace

TEST_CASE("Operators turn the rollout at run time, and a reload turns it back to what is configured")
{
    const database db{with_rowcast};
    running_bridge bridge(with_operators(db));
    http_client operators(bridge.admin_port());
    websocket_client client(bridge.port());
    client.send({{"type", "subscribe"}, {"id", "o"}, {"table", "public.t"}});
    client.await("subscribed");

    CHECK(json::parse(operators.get("/admin/rollout", proper).body) ==
          json{{"websocket", 100}, {"sse", 100}, {"force_polling", false}, {"opt_in", json::array()}, {"opt_out", json::array()}, {"as_configured", true}});
    const auto done = operators.request("POST", "/admin/rollout", proper, R"({"force_polling":true,"opt_in":["ann"]})");
    CHECK(done.status == 200);
    CHECK(json::parse(done.body) ==
          json{{"websocket", 100}, {"sse", 100}, {"force_polling", true}, {"opt_in", {"ann"}}, {"opt_out", json::array()}, {"as_configured", false}});
    CHECK(operators.get("/admin/rollout", proper).body == done.body);
    CHECK(client.await("goodbye").at("reason") == "not_offered");
    bridge.got.wait_for<observe::rollout_stands>([](const auto& each) { return each.force_polling && !each.as_configured && each.opt_in == 1; });
    bridge.got.wait_for<observe::administered>([](const auto& each) { return each.what == "change the rollout"; });

    REQUIRE(bridge.reload().empty());
    CHECK(json::parse(operators.get("/admin/rollout", proper).body).at("as_configured") == true);
    CHECK(json::parse(http_client(bridge.port()).get("/v1/session").body).at("transports").size() == 3);
}

TEST_CASE("A rollout that cannot be is refused, and changes nothing")
{
    const database db{with_rowcast};
    running_bridge bridge(with_operators(db));
    http_client operators(bridge.admin_port());
    for (const char* wrong : {R"({"websocket":101})", R"({"websocket":-1})", R"({"websocket":1.5})", R"({"websocket":4294967396})", R"({"sse":"50"})", R"({"force_polling":1})", R"({"opt_in":"ann"})",
                              R"({"opt_out":["ann","ann"]})", R"({"opt_out":[7]})", R"({"sse":0,"percent":5})"}) {
        CAPTURE(wrong);
        CHECK(operators.request("POST", "/admin/rollout", proper, wrong).status == 400);
    }
    CHECK(json::parse(operators.get("/admin/rollout", proper).body).at("as_configured") == true);
    CHECK(operators.get("/admin/rollout").status == 401);
    CHECK(operators.get("/admin/rollout?user=7", proper).status == 400);
}

} // namespace rowcast
