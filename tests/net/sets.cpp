#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include <future>
#include <thread>

#include "running_server.hpp"
#include "support/http_client.hpp"
#include "support/websocket_client.hpp"

using namespace rowcast;
using net::running_server;
using nlohmann::json;
using support::http_client;
using support::websocket_client;

namespace {

constexpr auto insert = core::operation::insert;

struct scene {
    running_server running;
    scene() { running.set_rules(running_server::rules_with_sets()); }

    websocket_client connect(const std::string& user) { return support::connect_as(running.port(), user); }
    void await_loads(std::size_t count)
    {
        while (running.waiting_loads() != count) {
            std::this_thread::yield();
        }
    }
};

json subscribe(const std::string& id = "o")
{
    return {{"type", "subscribe"}, {"id", id}, {"table", "public.orders"}};
}

} // namespace

TEST_CASE("a subscription waits until its set is there, and nothing else does", "[net]")
{
    scene at;
    auto client = at.connect("ann");
    client.send(subscribe());
    client.send({{"type", "ping"}, {"id", 1}});
    CHECK(client.receive()->at("type") == "pong");
    client.send(subscribe());
    CHECK(client.receive()->at("code") == "duplicate_subscription");
    at.running.set_set("ann", {{"bob"}});
    CHECK(client.receive()->at("type") == "subscribed");

    at.running.commit({running_server::order(insert, 1, "ann", "open"), running_server::order(insert, 2, "bob", "open")});
    const json changes = *client.receive();
    REQUIRE(changes.at("events").size() == 1);
    CHECK(changes.at("events")[0].at("key").at("id") == 2);
    auto other = at.connect("ann");
    other.send(subscribe());
    CHECK(other.receive()->at("type") == "subscribed"); // loaded once a user
}

TEST_CASE("a subscription that waits for its set can be taken back", "[net]")
{
    scene at;
    auto client = at.connect("ann");
    client.send(subscribe());
    client.send({{"type", "unsubscribe"}, {"id", "o"}});
    CHECK(client.receive()->at("type") == "unsubscribed");
    client.send(subscribe());
    at.await_loads(2);
    at.running.set_set("ann", {{"ann"}});
    CHECK(client.receive()->at("type") == "subscribed");
    client.send({{"type", "ping"}, {"id", 1}});
    CHECK(client.receive()->at("type") == "pong");
}

TEST_CASE("those that wait for their sets count as subscriptions", "[net]")
{
    running_server::options how;
    how.settings.limits.subscriptions_per_session = 2;
    running_server running(how);
    running.set_rules(running_server::rules_with_sets());
    websocket_client client(running.port(), "/v1/ws?access_token=ann");
    for (const char* id : {"a", "b", "c"}) {
        client.send(subscribe(id));
    }
    const json refused = client.await("error");
    CHECK(refused.at("code") == "too_many_subscriptions");
    CHECK(refused.at("id") == "c");
}

TEST_CASE("where a set cannot be loaded the subscription is refused, and may be tried again", "[net]")
{
    scene at;
    auto client = at.connect("ann");
    client.send(subscribe());
    at.await_loads(1);
    at.running.set_set("ann", std::nullopt);
    CHECK(client.receive()->at("code") == "unavailable");
    client.send(subscribe());
    at.await_loads(1);
    at.running.set_set("ann", {{"ann"}});
    CHECK(client.receive()->at("type") == "subscribed");
}

TEST_CASE("a set that changes ends the subscriptions that hang on it, and no others", "[net]")
{
    scene at;
    at.running.set_set("ann", {{"ann"}});
    at.running.set_set("bob", {{"ann", "room:1"}});
    auto ann = at.connect("ann");
    auto bob = at.connect("bob");
    for (auto* each : {&ann, &bob}) {
        each->send(subscribe());
        CHECK(each->receive()->at("type") == "subscribed");
    }
    bob.send({{"type", "subscribe"}, {"id", "r"}, {"channel", "room:1"}});
    CHECK(bob.receive()->at("type") == "subscribed");

    at.running.set_set("bob", {{"carl"}});
    for (int i = 0; i < 2; ++i) {
        const json told = *bob.receive();
        CHECK(told.at("type") == "resync");
        CHECK(told.at("reason") == "permissions_changed");
    }
    at.running.commit({running_server::order(insert, 1, "ann", "open"), running_server::message("room:1", "e", "1")});
    CHECK(ann.receive()->at("events").size() == 1);
    bob.send({{"type", "subscribe"}, {"id", "r"}, {"channel", "room:1"}});
    CHECK(bob.receive()->at("code") == "forbidden");
    bob.send(subscribe());
    CHECK(bob.receive()->at("type") == "subscribed");
    at.running.commit({running_server::order(insert, 2, "carl", "open")});
    CHECK(bob.receive()->at("events")[0].at("key").at("id") == 2);
}

TEST_CASE("streams and polls wait for their sets too", "[net]")
{
    scene at;
    const std::string cursor = at.running.cursor_now();
    auto polled = std::async(std::launch::async, [&] {
        return http_client(at.running.port()).get("/v1/changes?table=public.orders&access_token=ann&after=" + cursor);
    });
    auto streamed = std::async(std::launch::async, [&] {
        http_client client(at.running.port());
        client.open_stream("/v1/sse?table=public.orders&access_token=ann");
        return client.next_event()->name;
    });
    at.await_loads(2);
    at.running.set_set("ann", {{"ann"}});
    CHECK(polled.get().status == 200);
    CHECK(streamed.get() == "cursor");

    auto refused = std::async(std::launch::async, [&] {
        return http_client(at.running.port()).get("/v1/changes?table=public.orders&access_token=bob");
    });
    at.await_loads(1);
    at.running.set_set("bob", std::nullopt);
    CHECK(refused.get().status == 503);
}

TEST_CASE("who comes back with other rights than they had begins anew, on every transport", "[net]")
{
    running_server running;
    websocket_client client(running.port(), "/v1/ws?access_token=ann");
    client.send(subscribe());
    const std::string cursor = client.await("subscribed").at("cursor");
    running.commit({running_server::order(insert, 1, "ann", "open")});

    const auto resume = [&](const std::string& token) {
        websocket_client again(running.port(), "/v1/ws?access_token=" + token);
        json wanted = subscribe();
        wanted["after"] = cursor;
        again.send(wanted);
        return again.await("subscribed");
    };
    const auto polled = [&](const std::string& token) {
        return http_client(running.port()).get("/v1/changes?table=public.orders&access_token=" + token + "&after=" + cursor).status;
    };
    const auto streamed = [&](const std::string& token) {
        http_client stream(running.port());
        stream.open_stream("/v1/sse?table=public.orders&access_token=" + token, {{"Last-Event-ID", cursor}});
        return stream.next_event()->name;
    };
    CHECK(resume("ann").at("status") == "resumed");
    CHECK(resume("ann:customer:60").at("status") == "resumed"); // a fresh token
    CHECK(polled("ann") == 200);
    CHECK(streamed("ann") == "cursor");

    const json other = resume("ann:admin");
    CHECK(other.at("status") == "reset");
    CHECK(other.at("reason") == "permissions_changed");
    CHECK(polled("ann:admin") == 410);
    CHECK(streamed("ann:admin") == "reset");

    policy::rules fewer = running_server::rules();
    fewer.tables["public.orders"][0].columns = {"id"};
    running.set_rules(fewer);
    CHECK(resume("ann").at("reason") == "permissions_changed");
}
