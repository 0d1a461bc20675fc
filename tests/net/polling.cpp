#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include <future>
#include <thread>

#include "running_server.hpp"
#include "support/eventually.hpp"
#include "support/http_client.hpp"
#include "support/raw_client.hpp"

using namespace rowcast;
using net::running_server;
using nlohmann::json;
using support::http_client;

namespace {

constexpr auto insert = core::operation::insert;
const std::string orders = "/v1/changes?table=public.orders&access_token=ann";

json poll(const running_server& at, const std::string& target)
{
    http_client client(at.port());
    const auto answer = client.get(target);
    INFO(answer.body);
    CHECK(answer.status == 200);
    return json::parse(answer.body);
}

json refused(const running_server& at, const std::string& target, unsigned status)
{
    http_client client(at.port());
    const auto answer = client.get(target);
    INFO(answer.body);
    CHECK(answer.status == status);
    return json::parse(answer.body).at("code");
}

} // namespace

TEST_CASE("without `after` a poll has the current cursor only", "[net]")
{
    running_server running;
    running.commit({running_server::order(insert, 1, "ann", "open")});
    json got = poll(running, orders);
    CHECK(running_server::unmarked(got.at("cursor")) == running.cursor_now());
    got.erase("cursor");
    CHECK(got == json{{"events", json::array()}, {"more", false}});
}

TEST_CASE("a poll has what came after its cursor", "[net]")
{
    running_server running;
    const std::string before = running.cursor_now();
    running.commit({running_server::order(insert, 1, "bob", "open"), running_server::order(insert, 2, "ann", "open")});
    const json got = poll(running, orders + "&after=" + before);
    REQUIRE(got.at("events").size() == 1);
    CHECK(got.at("events").at(0).at("key") == json{{"id", 2}});
    CHECK_FALSE(got.at("events").at(0).contains("subs"));
    CHECK(running_server::unmarked(got.at("cursor")) == running.cursor_now());
    CHECK(got.at("more") == false);
    CHECK(poll(running, orders + "&after=" + got.at("cursor").get<std::string>()).at("events").empty());
}

TEST_CASE("a poll with a limit is continued by its cursor, with nothing lost or twice", "[net]")
{
    running_server running;
    std::string cursor = running.cursor_now();
    int expected = 0;
    for (int transaction = 0; transaction < 4; ++transaction) {
        std::vector<core::change> changes;
        for (int i = 0; i < 5; ++i) {
            changes.push_back(running_server::order(insert, expected++, "ann", "open"));
        }
        running.commit(std::move(changes));
    }
    int next = 0;
    for (bool more = true; more;) {
        const json got = poll(running, orders + "&limit=3&after=" + cursor);
        CHECK(got.at("events").size() <= 3);
        for (const json& event : got.at("events")) {
            REQUIRE(event.at("key").at("id") == next++);
        }
        cursor = got.at("cursor");
        more = got.at("more");
    }
    CHECK(next == expected);
}

TEST_CASE("a long poll is held until there is something", "[net]")
{
    running_server running;
    const std::string before = running.cursor_now();
    http_client client(running.port());
    json got;
    std::thread polling([&] { got = json::parse(client.get(orders + "&wait=20&after=" + before).body); });
    running.commit({running_server::order(insert, 1, "bob", "open")}); // not ann's
    running.commit({running_server::order(insert, 2, "ann", "open")});
    polling.join();
    REQUIRE(got.at("events").size() == 1);
    CHECK(got.at("events").at(0).at("key") == json{{"id", 2}});
}

TEST_CASE("a long poll that times out returns the newer cursor", "[net]")
{
    running_server running;
    const std::string before = running.cursor_now();
    running.commit({running_server::order(insert, 1, "bob", "open")});
    const json got = poll(running, orders + "&wait=1&after=" + before);
    CHECK(got.at("events").empty());
    CHECK(got.at("cursor") != before);
}

TEST_CASE("a cursor that cannot be used is refused by its reason", "[net]")
{
    running_server::options how;
    how.recent = {1, 1};
    running_server running(how);
    const std::string old = running.cursor_now();
    for (int i = 0; i < 5; ++i) {
        running.commit({running_server::order(insert, i, "ann", "open")});
    }
    CHECK(refused(running, orders + "&after=nonsense", 400) == "cursor_malformed");
    CHECK(refused(running, orders + "&after=" + running.foreign_cursor(), 410) == "cursor_foreign");
    CHECK(refused(running, orders + "&after=" + old, 410) == "cursor_expired");
}

TEST_CASE("a bad request names what is wrong with it", "[net]")
{
    running_server running;
    CHECK(refused(running, "/v1/changes", 400) == "bad_request");
    CHECK(refused(running, "/v1/changes?table=public.orders", 403) == "forbidden");
    CHECK(refused(running, orders + "&wait=61", 400) == "bad_request");
    CHECK(refused(running, orders + "&limit=0", 400) == "bad_request");
    CHECK(refused(running, orders + "&id=eqq.1", 400) == "bad_filter");
    CHECK(refused(running, orders + "&id=eq.many", 400) == "bad_filter");
    CHECK(refused(running, orders + "&nothing=eq.1", 400) == "unknown_column");
    CHECK(refused(running, orders + "&x=%zz", 400) == "bad_request");
    CHECK(refused(running, "/v1/changes?sub=a:public.nothing&access_token=ann", 404) == "unknown_table");
}

TEST_CASE("several subscriptions in one poll bear their names", "[net]")
{
    running_server running;
    const std::string before = running.cursor_now();
    running.commit({running_server::order(insert, 1, "ann", "open"), running_server::message("room:1", "x", "{}")});
    const json got = poll(running, "/v1/changes?sub=a:public.orders&sub=b:public.orders%3Fstatus%3Deq.open&sub=r:?channel%3Droom:1"
                                   "&access_token=ann&after=" + before);
    REQUIRE(got.at("events").size() >= 2);
    CHECK(got.at("events").back().at("subs") == json{"r"});
}

TEST_CASE("a poll over a resync says so and goes on behind it", "[net]")
{
    running_server running;
    const std::string before = running.cursor_now();
    running.commit({running_server::order(insert, 1, "ann", "open")});
    running.commit({running_server::resync("partition_detached")});
    const json got = poll(running, orders + "&after=" + before);
    CHECK(got.at("events").size() == 1);
    CHECK(got.at("resync") == json{{{"reason", "partition_detached"}}});
    running.commit({running_server::order(insert, 2, "ann", "open")});
    const json next = poll(running, orders + "&after=" + got.at("cursor").get<std::string>());
    CHECK_FALSE(next.contains("resync"));
    CHECK(next.at("events").size() == 1);
}

TEST_CASE("polls may be pipelined and keep their connection", "[net]")
{
    running_server running;
    const std::string request = "GET " + orders + "&wait=1&after=" + running.cursor_now() + " HTTP/1.1\r\nHost: x\r\n\r\n";
    support::raw_client client(running.port());
    client.send(request + request);
    client.read_until("\"more\":false}");
    client.read_until("\"more\":false}");
}

TEST_CASE("a server that stops answers those who wait", "[net]")
{
    running_server running;
    const std::string before = running.cursor_now();
    support::raw_client client(running.port());
    client.send("GET " + orders + "&wait=60&after=" + before + " HTTP/1.1\r\nHost: x\r\n\r\n");
    client.send("");
    running.server().stop(std::chrono::seconds(5));
    const std::string all = client.read_all();
    if (!all.empty()) { // else the request had not been read yet
        CHECK(all.find("200 OK") != std::string::npos);
    }
}

TEST_CASE("a client that leaves while it waits gives its place back", "[net]")
{
    running_server::options how;
    how.settings.limits.sessions_per_user = 1;
    running_server running(how);
    const std::string wait = orders + "&wait=60&after=" + running.cursor_now();
    {
        support::raw_client client(running.port());
        client.send("GET " + wait + " HTTP/1.1\r\nHost: x\r\n\r\n");
        CHECK(support::eventually([&] {
            http_client second(running.port());
            return second.get(orders).status == 429;
        }));
    }
    CHECK(support::eventually([&] {
        http_client second(running.port());
        return second.get(orders).status == 200;
    }));
}

namespace {

// Ann waits for what comes after the cursor.
struct waiting_poll {
    running_server running;
    http_client client{running.port()};
    std::future<json> answer;

    explicit waiting_poll(const std::string& target)
    {
        const std::string full = target + "&wait=60&access_token=ann&after=" + running.cursor_now();
        answer = std::async(std::launch::async, [this, full] { return json::parse(client.get(full).body); });
        REQUIRE(support::eventually([&] { return running.views() > 0; }));
    }
};

} // namespace

TEST_CASE("changed rules end a long poll that they change, at once", "[net]")
{
    waiting_poll at("/v1/changes?table=public.orders");
    policy::rules fewer = running_server::rules();
    fewer.tables["public.orders"][0].columns = {"id"};
    at.running.set_rules(fewer);
    at.running.commit({running_server::order(insert, 1, "ann", "open")});
    const json got = at.answer.get();
    INFO(got);
    CHECK(got.at("events").empty());
    CHECK(got.at("resync") == json{{{"reason", "permissions_changed"}}});

    const json next = poll(at.running, orders + "&after=" + got.at("cursor").get<std::string>());
    CHECK_FALSE(next.contains("resync"));
    at.running.commit({running_server::order(insert, 2, "ann", "open")});
    CHECK(poll(at.running, orders + "&after=" + next.at("cursor").get<std::string>()).at("events").at(0).at("row") == json{{"id", 2}});
}

TEST_CASE("changed rules leave alone what they do not change in a long poll", "[net]")
{
    waiting_poll at("/v1/changes?sub=o:public.orders&sub=r:%3Fchannel%3Droom:1");
    policy::rules fewer = running_server::rules();
    fewer.channels.clear();
    at.running.set_rules(fewer);
    const json got = at.answer.get();
    INFO(got);
    CHECK(got.at("resync") == json{{{"id", "r"}, {"reason", "permissions_changed"}}});
    at.running.commit({running_server::order(insert, 1, "ann", "open")});
    const json next = poll(at.running, "/v1/changes?sub=o:public.orders&access_token=ann&after=" + got.at("cursor").get<std::string>());
    CHECK(next.at("events").size() == 1);
}

TEST_CASE("rules that change nothing for those who wait do not wake them", "[net]")
{
    waiting_poll at("/v1/changes?table=public.orders");
    policy::rules more = running_server::rules();
    more.tables["public.orders"].push_back({{"auditor"}, {}, std::nullopt, {}});
    at.running.set_rules(more);
    at.running.commit({running_server::order(insert, 1, "ann", "open")});
    const json got = at.answer.get();
    CHECK_FALSE(got.contains("resync"));
    CHECK(got.at("events").size() == 1);
}
