#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include "net/offer.hpp"
#include "running_server.hpp"
#include "support/http_client.hpp"
#include "support/websocket_client.hpp"

using namespace rowcast;
using net::is_offered;
using net::running_server;
using nlohmann::json;
using support::connect_as;
using support::http_client;
using support::websocket_client;

namespace {

constexpr char stream[] = "/v1/sse?table=public.orders&access_token=ann";

running_server::options offering(config::rollout offered)
{
    running_server::options how;
    how.offered = std::move(offered);
    return how;
}

config::rollout percentages(unsigned websocket, unsigned sse)
{
    config::rollout made;
    made.websocket = websocket;
    made.sse = sse;
    return made;
}

config::rollout forced()
{
    config::rollout none;
    none.force_polling = true;
    return none;
}

json orders()
{
    return {{"type", "subscribe"}, {"id", "o"}, {"table", "public.orders"}};
}

std::string code_of(const http_client::answer& answer)
{
    return json::parse(answer.body).at("code");
}

} // namespace

TEST_CASE("who is among a percentage is what the manual's formula says", "[net]")
{
    // docs/operations.md has these.
    CHECK(is_offered(percentages(7, 100), "websocket", "alice"));
    CHECK_FALSE(is_offered(percentages(6, 100), "websocket", "alice"));
    CHECK(is_offered(percentages(100, 93), "sse", "alice"));
    CHECK_FALSE(is_offered(percentages(100, 92), "sse", "alice"));
    CHECK(is_offered(percentages(44, 100), "websocket", "zo\xc3\xab"));
    CHECK_FALSE(is_offered(percentages(43, 100), "websocket", "zo\xc3\xab"));
}

TEST_CASE("a list goes before the percentages, leaving before coming, and the switch before everything", "[net]")
{
    config::rollout all{.websocket = 0, .sse = 100, .force_polling = false, .opt_in = {"ann", "bob"}, .opt_out = {"bob"}};
    CHECK(is_offered(all, "websocket", "ann"));
    CHECK_FALSE(is_offered(all, "websocket", "cay"));
    CHECK_FALSE(is_offered(all, "websocket", "bob"));
    CHECK_FALSE(is_offered(all, "sse", "bob"));
    all.force_polling = true;
    CHECK_FALSE(is_offered(all, "websocket", "ann"));
    CHECK_FALSE(is_offered(all, "sse", "cay"));
}

TEST_CASE("who is not offered a transport is refused, with a code that says so, and can poll", "[net]")
{
    running_server running(offering(forced()));
    http_client client(running.port());
    const auto refused = client.get(stream);
    CHECK(refused.status == 403);
    CHECK(code_of(refused) == "not_offered");
    CHECK_THROWS_WITH(websocket_client(running.port(), "/v1/ws?access_token=ann"), Catch::Contains("403") && Catch::Contains("not_offered"));

    websocket_client in_a_message(running.port());
    in_a_message.send({{"type", "auth"}, {"token", "ann"}});
    CHECK(in_a_message.await("error").at("code") == "not_offered");
    CHECK(in_a_message.await_close() == 4406);

    websocket_client anonymous(running.port());
    anonymous.send(orders());
    CHECK(anonymous.await("error").at("code") == "not_offered");
    CHECK(anonymous.await_close() == 4406);

    CHECK(client.get("/v1/changes?table=public.orders&access_token=ann").status == 200);
    CHECK(running.seen().count<observe::request_refused>() == 4);
}

TEST_CASE("whose token comes in a message is judged by it, and not as somebody without one", "[net]")
{
    running_server running(offering({.websocket = 0, .sse = 0, .force_polling = false, .opt_in = {"ann"}, .opt_out = {}}));
    websocket_client client(running.port());
    client.send({{"type", "auth"}, {"token", "ann:customer"}});
    client.await("authenticated");
    client.send(orders());
    client.await("subscribed");
}

TEST_CASE("polling that is forced moves open sessions over, with jitter; lifted, they are taken again", "[net]")
{
    running_server running;
    websocket_client socket(running.port(), "/v1/ws?access_token=ann:customer");
    socket.send(orders());
    socket.await("subscribed");
    websocket_client waiting(running.port()); // whoever this will be
    waiting.await("welcome");
    http_client streaming(running.port());
    streaming.open_stream(stream);
    streaming.next_event();

    running.server().offer(forced());
    const json goodbye = socket.await("goodbye");
    CHECK(goodbye.at("reason") == "not_offered");
    CHECK(goodbye.at("reconnect_ms") >= 500);
    CHECK(socket.await_close() == 1001);
    CHECK_FALSE(streaming.next_event());
    waiting.send({{"type", "auth"}, {"token", "ann"}});
    CHECK(waiting.await("error").at("code") == "not_offered");

    http_client client(running.port());
    CHECK(json::parse(client.get("/v1/session?access_token=ann").body).at("transports") == json{"poll"});
    CHECK(code_of(client.get(stream)) == "not_offered");

    running.server().offer({});
    CHECK(support::eventually([&] { return http_client(running.port()).open_stream(stream).status == 200; }));
    auto again = connect_as(running.port(), "ann:customer");
}

TEST_CASE("a smaller percentage, or another list, leaves those alone who are still among them", "[net]")
{
    running_server running;
    auto stays = connect_as(running.port(), "alice:customer");
    auto leaves = connect_as(running.port(), "bob:customer");
    running.server().offer({.websocket = 7, .sse = 100, .force_polling = false, .opt_in = {}, .opt_out = {}});
    leaves.await("goodbye");
    stays.send({{"type", "ping"}, {"id", 1}});
    CHECK(stays.receive()->at("type") == "pong");
}
