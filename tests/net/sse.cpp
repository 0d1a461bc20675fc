#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include "running_server.hpp"
#include "support/http_client.hpp"
#include "support/raw_client.hpp"

using namespace rowcast;
using net::running_server;
using nlohmann::json;
using support::http_client;

namespace {

constexpr auto insert = core::operation::insert;
constexpr char orders[] = "/v1/sse?table=public.orders&access_token=ann";

} // namespace

TEST_CASE("a stream says where it begins, then each change as an event", "[net]")
{
    running_server running;
    http_client client(running.port());
    const auto head = client.open_stream(orders);
    CHECK(head.status == 200);
    CHECK(head.fields.at("content-type") == "text/event-stream");
    CHECK(head.fields.at("cache-control").find("no-cache") != std::string::npos);
    CHECK(head.fields.at("x-accel-buffering") == "no");
    const auto first = client.next_event();
    CHECK(first->name == "cursor");
    CHECK(running_server::unmarked(*first->id) == running.cursor_now());

    running.commit({running_server::order(insert, 1, "ann", "open"), running_server::order(insert, 2, "ann", "open")});
    const auto one = client.next_event();
    CHECK(one->name == "change");
    CHECK(json::parse(one->data).at("key") == json{{"id", 1}});
    CHECK_FALSE(json::parse(one->data).contains("subs"));
    // The cursor stands on the last event of the batch only: a reconnect splits no transaction.
    CHECK_FALSE(one->id);
    CHECK(running_server::unmarked(*client.next_event()->id) == running.cursor_now());
}

TEST_CASE("a stream is resumed by Last-Event-ID, which is newer than the URL's cursor", "[net]")
{
    running_server running;
    const std::string first = running.cursor_now();
    running.commit({running_server::order(insert, 1, "ann", "open")});
    const std::string second = running.cursor_now();
    running.commit({running_server::order(insert, 2, "ann", "open")});
    http_client client(running.port());
    client.open_stream(std::string(orders) + "&after=" + first, {{"Last-Event-ID", second}});
    CHECK(json::parse(client.next_event()->data).at("status") == "resumed");
    CHECK(json::parse(client.next_event()->data).at("key") == json{{"id", 2}});
}

TEST_CASE("a cursor that cannot be used is answered with `reset`", "[net]")
{
    running_server running;
    http_client client(running.port());
    client.open_stream(std::string(orders) + "&after=nonsense");
    const auto reset = client.next_event();
    CHECK(reset->name == "reset");
    CHECK(json::parse(reset->data).at("reason") == "cursor_malformed");
    CHECK(running_server::unmarked(*reset->id) == running.cursor_now());
}

TEST_CASE("several subscriptions in one stream bear their names", "[net]")
{
    running_server running;
    http_client client(running.port());
    client.open_stream("/v1/sse?sub=a:public.orders%3Fstatus%3Deq.open&sub=r:?channel%3Droom:1&access_token=ann");
    client.next_event();
    running.commit({running_server::order(insert, 1, "ann", "open"), running_server::message("room:1", "x", "[1,\n2]")});
    CHECK(json::parse(client.next_event()->data).at("subs") == json{"a"});
    const auto message = client.next_event();
    CHECK(json::parse(message->data).at("subs") == json{"r"});
    CHECK(json::parse(message->data).at("payload") == json{1, 2});
}

TEST_CASE("a resync ends a stream with one subscription, and a reconnect does not meet it again", "[net]")
{
    running_server running;
    http_client client(running.port());
    client.open_stream(orders);
    client.next_event();
    running.commit({running_server::resync("partition_detached")});
    const auto resync = client.next_event();
    CHECK(resync->name == "resync");
    CHECK(json::parse(resync->data).at("reason") == "partition_detached");
    CHECK_FALSE(client.next_event());
    http_client again(running.port());
    again.open_stream(orders, {{"Last-Event-ID", *resync->id}});
    again.next_event();
    running.commit({running_server::order(insert, 1, "ann", "open")});
    CHECK(again.next_event()->name == "change");
}

TEST_CASE("a quiet stream has comments, and a cursor where it has moved", "[net]")
{
    running_server::options how;
    how.settings.heartbeat = std::chrono::milliseconds(50);
    running_server running(how);
    support::raw_client client(running.port());
    client.send(std::string("GET ") + orders + " HTTP/1.1\r\nHost: x\r\n\r\n");
    client.read_until("Transfer-Encoding: chunked\r\n");
    client.read_until("retry: ");
    client.read_until("\n:\n\n");
    running.commit_something();
    client.read_until("event: cursor\nid: " + running.cursor_now());
}

TEST_CASE("a stream ends with its token, and with the server", "[net]")
{
    running_server running;
    http_client expiring(running.port());
    expiring.open_stream("/v1/sse?table=public.orders&access_token=ann:customer:1");
    expiring.next_event();
    const auto error = expiring.next_event();
    CHECK(error->name == "error");
    CHECK(json::parse(error->data).at("code") == "token_expired");
    CHECK_FALSE(expiring.next_event());

    http_client client(running.port());
    client.open_stream(orders);
    client.next_event();
    running.server().stop(std::chrono::seconds(5));
    CHECK_FALSE(client.next_event());
}

TEST_CASE("a stream that may not be is refused before it begins", "[net]")
{
    running_server running;
    const auto refused = [&](const std::string& target) {
        http_client client(running.port());
        return json::parse(client.get(target).body).at("code").get<std::string>();
    };
    CHECK(refused("/v1/sse?table=public.nothing&access_token=ann") == "unknown_table");
    CHECK(refused("/v1/sse?table=public.orders") == "forbidden");
    CHECK(refused("/v1/sse?table=public.orders&columns=secret&access_token=ann") == "forbidden_column");
    CHECK(refused("/v1/sse?table=public.orders&secret=eq.x&access_token=ann") == "forbidden_column");
    CHECK(refused("/v1/sse?channel=room:1&snapshot=true&access_token=ann") == "bad_request");
    CHECK(refused("/v1/sse?table=public.orders&status=eqq.x&access_token=ann") == "bad_filter");
    CHECK(refused("/v1/sse?table=public.orders&wait=1&access_token=ann") == "bad_request");
    CHECK(refused("/v1/sse?table=public.orders&access_token=bad") == "token_invalid");
}

TEST_CASE("the place of a client that leaves is free again", "[net]")
{
    running_server::options how;
    how.settings.limits.sessions_per_user = 1;
    running_server running(how);
    {
        http_client client(running.port());
        client.open_stream(orders);
        http_client second(running.port());
        CHECK(second.get(orders).status == 429);
    }
    running.seen().wait_for<observe::session_closed>();
    http_client client(running.port());
    CHECK(client.open_stream(orders).status == 200);
}

TEST_CASE("changed rules end a stream that they change", "[net]")
{
    running_server running;
    http_client client(running.port());
    client.open_stream(orders);
    client.next_event();
    running.set_rules({});
    const auto resync = client.next_event();
    CHECK(resync->name == "resync");
    CHECK(json::parse(resync->data).at("reason") == "permissions_changed");
    CHECK_FALSE(client.next_event());
}
