#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include "net/conversation.hpp"
#include "running_server.hpp"
#include "support/http_client.hpp"
#include "support/websocket_client.hpp"

#include <future>
#include <thread>

using namespace rowcast;
using net::running_server;
using nlohmann::json;
using support::connect_as;
using support::http_client;
using support::websocket_client;

TEST_CASE("a revoked user's WebSocket ends with 4401, and another's goes on", "[net]")
{
    running_server running;
    auto ann = connect_as(running.port(), "ann");
    auto bob = connect_as(running.port(), "bob");
    running.revoke("ann");
    CHECK(ann.await("error").at("code") == "token_revoked");
    CHECK_FALSE(ann.receive());
    CHECK(ann.close_code() == 4401);
    bob.send({{"type", "ping"}, {"id", 1}});
    CHECK(bob.await("pong").at("id") == 1);
}

TEST_CASE("a user who is revoked before the session has begun does not begin it", "[net]")
{
    running_server running;
    running.revoke("ann");
    websocket_client ann(running.port(), "/v1/ws?access_token=ann");
    CHECK(ann.await("error").at("code") == "token_revoked");
    CHECK_FALSE(ann.receive());
}

TEST_CASE("a revoked user's event stream ends with an error", "[net]")
{
    running_server running;
    http_client ann(running.port());
    ann.open_stream("/v1/sse?table=public.orders&access_token=ann");
    REQUIRE(ann.next_event()->name == "cursor");
    running.revoke("ann");
    const auto event = ann.next_event();
    REQUIRE(event);
    CHECK(event->name == "error");
    CHECK(json::parse(event->data).at("code") == "token_revoked");
    CHECK_FALSE(ann.next_event());
}

TEST_CASE("a revoked user's poll is answered with 401 at once", "[net]")
{
    running_server running;
    const std::string cursor = running.cursor_now();
    http_client::answer got;
    std::thread waiting([&] {
        got = http_client(running.port()).get("/v1/changes?table=public.orders&wait=60&access_token=ann&after=" + cursor);
    });
    // A poll is a feed of its shard while it waits.
    const bool waits = support::eventually([&] {
        std::promise<std::size_t> feeds;
        running.server().survey([&](const hub::standing& now) { feeds.set_value(now.sessions); });
        return feeds.get_future().get() == 1;
    });
    running.revoke("ann");
    waiting.join();
    REQUIRE(waits);
    CHECK(got.status == 401);
    CHECK(json::parse(got.body).at("code") == "token_revoked");
}

TEST_CASE("in the grace after its token's end a session loses nothing, and goes on with a fresh token", "[net]")
{
    running_server::options how;
    how.grace = 3600;
    running_server running(how);
    websocket_client ann(running.port(), "/v1/ws?access_token=ann:customer:1");
    const std::int64_t expires = ann.await("authenticated").at("expires");
    CHECK(ann.await("expiring").at("in").get<int>() <= 1);
    ann.send({{"type", "subscribe"}, {"id", "o"}, {"table", "public.orders"}});
    ann.await("subscribed");
    REQUIRE(support::eventually([&] { return net::moment::now().unix_seconds > expires; }));
    running.commit({running_server::order(core::operation::insert, 1, "ann", "open")});
    CHECK(ann.await("changes").at("events").at(0).at("row").at("id") == 1);
    ann.send({{"type", "auth"}, {"token", "ann:customer:600"}});
    CHECK(ann.await("authenticated").at("expires") > expires);
}

TEST_CASE("after the grace a session ends with 4401", "[net]")
{
    running_server::options how;
    how.grace = 1;
    running_server running(how);
    websocket_client ann(running.port(), "/v1/ws?access_token=ann:customer:1");
    const std::int64_t expires = ann.await("authenticated").at("expires");
    CHECK(ann.await("error").at("code") == "token_expired");
    CHECK(net::moment::now().unix_seconds >= expires + 1);
    CHECK_FALSE(ann.receive());
    CHECK(ann.close_code() == 4401);
}
