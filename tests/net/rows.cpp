#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include <future>

#include "running_server.hpp"
#include "support/eventually.hpp"
#include "support/http_client.hpp"
#include "support/raw_client.hpp"
#include "support/websocket_client.hpp"

using namespace rowcast;
using net::running_server;
using nlohmann::json;
using support::http_client;

namespace {

const std::string orders = "/v1/rows?table=public.orders&access_token=ann";

std::string order(int id, const std::string& owner)
{
    return R"({"id":)" + std::to_string(id) + R"(,"owner_id":")" + owner + R"(","status":"open","secret":"s"})";
}

json seen(int id, const std::string& owner)
{
    return {{"id", id}, {"owner_id", owner}, {"status", "open"}};
}

constexpr char stream[] = "/v1/sse?table=public.orders&columns=id&snapshot=true&access_token=ann";

json subscribe(json more = json::object())
{
    json message{{"type", "subscribe"}, {"id", "o"}, {"table", "public.orders"}, {"columns", {"id"}}, {"snapshot", true}};
    message.update(more);
    return message;
}

support::websocket_client ann(const running_server& at)
{
    return support::connect_as(at.port(), "ann");
}

json ids(std::initializer_list<int> wanted)
{
    json list = json::array();
    for (const int id : wanted) {
        list.push_back({{"id", id}});
    }
    return list;
}

// The initial rows of the subscription `o`, and the cursor of the last page.
std::pair<json, std::string> receive_rows(support::websocket_client& client)
{
    json all = json::array();
    for (;;) {
        const json page = *client.receive();
        INFO(page);
        REQUIRE(page.at("type") == "rows");
        CHECK(page.at("id") == "o");
        all.insert(all.end(), page.at("rows").begin(), page.at("rows").end());
        CHECK(page.contains("cursor") != page.at("more").get<bool>());
        if (!page.at("more").get<bool>()) {
            return {all, page.at("cursor")};
        }
    }
}

} // namespace

TEST_CASE("the rows that are there come with the cursor from which on changes follow", "[net][rows]")
{
    running_server running;
    running.set_rows({order(1, "ann"), order(2, "bob"), order(3, "ann"), order(4, "ann")});
    http_client client(running.port());
    const auto answer = client.get(orders);
    CHECK(answer.status == 200);
    CHECK(answer.fields.at("content-type") == "application/json");
    const std::string cursor = json::parse(answer.body).at("cursor");
    CHECK(running_server::unmarked(cursor) == running.cursor_now());
    CHECK(json::parse(answer.body) == json{{"rows", {seen(1, "ann"), seen(3, "ann"), seen(4, "ann")}}, {"more", false}, {"cursor", cursor}});

    running.commit({running_server::order(core::operation::insert, 5, "ann", "open")});
    const json changes = json::parse(client.get("/v1/changes?table=public.orders&access_token=ann&after=" + cursor).body);
    REQUIRE(changes.at("events").size() == 1);
    CHECK(changes.at("events").at(0).at("key") == json{{"id", 5}});
}

TEST_CASE("a table without rows has an empty list", "[net][rows]")
{
    running_server running;
    CHECK(json::parse(http_client(running.port()).get(orders).body).at("rows") == json::array());
}

TEST_CASE("filters, columns and a limit narrow the rows", "[net][rows]")
{
    running_server running;
    running.set_rows({order(1, "ann"), order(2, "ann"), order(3, "ann")});
    http_client client(running.port());
    CHECK(json::parse(client.get(orders + "&id=gte.2&columns=id").body).at("rows") == json{{{"id", 2}}, {{"id", 3}}});
    const json first = json::parse(client.get(orders + "&limit=2&columns=id").body);
    CHECK(first.at("rows") == json{{{"id", 1}}, {{"id", 2}}});
    CHECK(first.at("more") == true);
    CHECK(json::parse(client.get(orders + "&limit=2&id=gt.2").body).at("more") == false);
}

TEST_CASE("several lists come as of one moment, each under its name", "[net][rows]")
{
    running_server running;
    running.set_rows({order(1, "ann"), order(2, "bob")});
    const auto answer = http_client(running.port())
                            .get("/v1/rows?access_token=root:admin&sub=mine:public.orders%3Fowner_id%3Deq.ann%26columns%3Did"
                                 "&sub=none:public.orders%3Fid%3Deq.9&sub=all:public.orders%3Fcolumns%3Did");
    INFO(answer.body);
    CHECK(json::parse(answer.body).at("rows") ==
          json{{"mine", {{{"id", 1}}}}, {"none", json::array()}, {"all", {{{"id", 1}}, {{"id", 2}}}}});
}

TEST_CASE("rows that cannot be read are refused; those that break off say so and have no cursor", "[net][rows]")
{
    running_server running;
    http_client client(running.port());
    running.set_rows({order(1, "ann")}, 2, {{0, core::error_code::too_many_readings}});
    const auto refused = client.get(orders);
    CHECK(refused.status == 429);
    CHECK(refused.fields.at("retry-after") == "5");
    CHECK(json::parse(refused.body).at("code") == "too_many_readings");

    running.set_rows({order(1, "ann"), order(2, "ann")}, 1, {{1, core::error_code::rows_timeout}});
    const json broken = json::parse(client.get(orders).body);
    CHECK(broken.at("rows") == json::array({seen(1, "ann")}));
    CHECK(broken.at("error").at("code") == "rows_timeout");
    CHECK_FALSE(broken.contains("cursor"));
}

TEST_CASE("what has no rows, or is no part of reading them, is refused by name", "[net][rows]")
{
    running_server running;
    http_client client(running.port());
    for (const char* wrong : {"channel=room:1", "table=public.orders&after=x", "table=public.orders&wait=1", "table=public.orders&old=true",
                              "table=public.orders&snapshot=true", "table=public.orders&events=INSERT", "table=public.orders&limit=0"}) {
        CAPTURE(wrong);
        CHECK(json::parse(client.get("/v1/rows?access_token=ann&" + std::string(wrong)).body).at("code") == "bad_request");
    }
    CHECK(client.get("/v1/rows?table=public.orders&access_token=ann&secret=eq.s").status == 403);
    CHECK(client.get("/v1/rows?table=public.orders&access_token=bad").status == 401);
    CHECK(client.get("/v1/changes?table=public.orders&access_token=ann&snapshot=true").status == 400);
}

TEST_CASE("rows that are read for rights that have gone end there", "[net][rows]")
{
    running_server running;
    const auto take_rules_away = [&] {
        running.set_rules({});
        CHECK(support::eventually([&] { return running.open_row_readings() == 0; }));
    };
    SECTION("before the first")
    {
        running.set_rows({order(1, "ann")}, 1, {{0, std::nullopt}});
        auto refused = std::async(std::launch::async, [&] { return http_client(running.port()).get(orders); });
        REQUIRE(support::eventually([&] { return running.open_row_readings() == 1; }));
        take_rules_away();
        const auto answer = refused.get();
        CHECK(answer.status == 410);
        CHECK(json::parse(answer.body).at("code") == "permissions_changed");
    }
    SECTION("among them")
    {
        running.set_rows({order(1, "ann"), order(2, "ann")}, 1, {{1, std::nullopt}});
        support::raw_client client(running.port());
        client.send("GET " + orders + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        client.read_until(R"("id":1)");
        take_rules_away();
        const std::string rest = client.read_all();
        CHECK(rest.find(R"("code":"permissions_changed")") != std::string::npos);
        CHECK(rest.find("cursor") == std::string::npos);
    }
}

TEST_CASE("rows that are read for rights that still hold are read on", "[net][rows]")
{
    running_server running;
    running.set_rows(std::vector<std::string>(20'000, order(1, "ann")), 200);
    support::raw_client client(running.port());
    client.send("GET " + orders + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    client.read_until(R"("id":1)");
    policy::rules more = running_server::rules();
    more.tables["public.orders"].push_back({{"auditor"}, {}, std::nullopt, {}});
    running.set_rules(more);
    CHECK(client.read_all().find(R"("more":false,"cursor":")") != std::string::npos);
}

TEST_CASE("a client that has left is read no more rows for", "[net][rows]")
{
    running_server running;
    std::vector<std::string> many(20'000, order(1, "ann"));
    running.set_rows(std::move(many), 200);
    {
        http_client client(running.port(), 4096);
        CHECK_THROWS(client.get(orders, {}, std::chrono::milliseconds(1)));
    }
    CHECK(support::eventually([&] { return running.open_row_readings() == 0; }));
}

TEST_CASE("a subscription begins with the rows, then has the changes after them", "[net][rows]")
{
    running_server running;
    running.set_rows({order(1, "ann"), order(2, "bob"), order(3, "ann"), order(4, "ann")});
    auto client = ann(running);
    client.send(subscribe());
    const json subscribed = *client.receive();
    CHECK(subscribed.at("status") == "live");
    const auto [rows, cursor] = receive_rows(client);
    CHECK(rows == ids({1, 3, 4}));
    CHECK(cursor == subscribed.at("cursor").get<std::string>());
    running.commit({running_server::order(core::operation::insert, 5, "ann", "open")});
    CHECK(client.await("changes").at("live") == true); // caught up, with nothing to catch up
    const json changes = client.await("changes");
    CHECK(changes.at("events").at(0).at("key") == json{{"id", 5}});
}

TEST_CASE("a subscription of nothing has one empty page", "[net][rows]")
{
    running_server running;
    auto client = ann(running);
    client.send(subscribe());
    client.await("subscribed");
    CHECK(receive_rows(client).first == json::array());
}

TEST_CASE("with a cursor too, it resumes where it can and begins with the rows where it cannot", "[net][rows]")
{
    running_server running;
    running.set_rows({order(1, "ann")});
    const std::string before = running.cursor_now();
    running.commit({running_server::order(core::operation::insert, 1, "ann", "open")});
    auto client = ann(running);
    client.send(subscribe({{"after", before}}));
    CHECK(client.receive()->at("status") == "resumed");
    CHECK(client.await("changes").at("events").at(0).at("key") == json{{"id", 1}});

    client.send(subscribe({{"id", "p"}, {"after", running.foreign_cursor()}}));
    const json reset = client.await("subscribed");
    CHECK(reset.at("status") == "reset");
    CHECK(reset.at("reason") == "cursor_foreign");
    CHECK(client.await("rows").at("rows") == ids({1}));
}

TEST_CASE("a subscription whose rows cannot be read never was", "[net][rows]")
{
    running_server running;
    running.set_rows({order(1, "ann"), order(2, "ann")}, 1, {{1, core::error_code::too_many_rows}});
    auto client = ann(running);
    client.send(subscribe());
    client.await("subscribed");
    CHECK(client.receive()->at("type") == "rows");
    CHECK(client.receive()->at("code") == "too_many_rows");
    running.set_rows({order(1, "ann")});
    client.send(subscribe());
    client.await("subscribed");
    CHECK(receive_rows(client).first == ids({1}));
}

TEST_CASE("what is unsubscribed in the middle of its rows can be subscribed again", "[net][rows]")
{
    running_server running;
    running.set_rows(std::vector<std::string>(5000, order(1, "ann")), 50);
    auto client = ann(running);
    client.send(subscribe());
    client.await("rows");
    client.send({{"type", "unsubscribe"}, {"id", "o"}});
    client.await("unsubscribed");
    running.set_rows({order(7, "ann")});
    client.send(subscribe());
    CHECK(client.receive()->at("type") == "subscribed");
    CHECK(receive_rows(client).first == ids({7}));
    CHECK(support::eventually([&] { return running.open_row_readings() == 0; }));
}

TEST_CASE("after a resync the rows come again under the same id", "[net][rows]")
{
    running_server running;
    running.set_rows({order(1, "ann")});
    auto client = ann(running);
    client.send(subscribe());
    client.await("subscribed");
    receive_rows(client);
    running.commit({running_server::resync("attached")});
    client.await("resync");
    client.send(subscribe());
    CHECK(client.await("subscribed").at("status") == "live");
    CHECK(receive_rows(client).first == ids({1}));
}

TEST_CASE("a stream begins with the rows, whose last page alone has a place to resume from", "[net][rows]")
{
    running_server running;
    running.set_rows({order(1, "ann"), order(2, "ann"), order(3, "ann")});
    http_client client(running.port());
    client.open_stream(stream);
    const auto reset = client.next_event();
    CHECK(reset->name == "reset");
    CHECK(json::parse(reset->data) == json{{"reason", "snapshot"}});
    CHECK_FALSE(reset->id);
    const auto first = client.next_event();
    CHECK(first->name == "rows");
    CHECK(json::parse(first->data) == json{{"rows", ids({1, 2})}, {"more", true}});
    CHECK_FALSE(first->id);
    const auto last = client.next_event();
    CHECK(json::parse(last->data) == json{{"rows", ids({3})}, {"more", false}, {"cursor", last->id.value()}});
    CHECK(running_server::unmarked(*last->id) == running.cursor_now());

    running.commit({running_server::order(core::operation::insert, 4, "ann", "open")});
    CHECK(json::parse(client.next_event()->data).at("key") == json{{"id", 4}});

    http_client again(running.port());
    again.open_stream(stream, {{"Last-Event-ID", *last->id}});
    CHECK(json::parse(again.next_event()->data).at("status") == "resumed");
    CHECK(json::parse(again.next_event()->data).at("key") == json{{"id", 4}});
}

TEST_CASE("a stream whose place is lost begins with the rows again", "[net][rows]")
{
    running_server running;
    running.set_rows({order(1, "ann")});
    http_client client(running.port());
    client.open_stream(stream, {{"Last-Event-ID", running.foreign_cursor()}});
    CHECK(json::parse(client.next_event()->data) == json{{"reason", "cursor_foreign"}});
    CHECK(json::parse(client.next_event()->data).at("rows") == ids({1}));

    running.commit({running_server::resync("attached")});
    const auto resync = client.next_event();
    CHECK(resync->name == "resync");
    CHECK(resync->id == "");
}

TEST_CASE("a stream of several tables has one place for all of them, behind the last rows", "[net][rows]")
{
    running_server running;
    running.set_rows({order(1, "ann")});
    http_client client(running.port());
    client.open_stream("/v1/sse?access_token=ann&sub=a:public.orders%3Fcolumns%3Did%26snapshot%3Dtrue"
                       "&sub=b:public.orders&sub=c:public.orders%3Fcolumns%3Did%26snapshot%3Dtrue");
    client.next_event();
    const auto a = client.next_event();
    CHECK(json::parse(a->data) == json{{"id", "a"}, {"rows", ids({1})}, {"more", false}});
    CHECK_FALSE(a->id);
    const auto c = client.next_event();
    CHECK(json::parse(c->data).at("id") == "c");
    CHECK(running_server::unmarked(c->id.value()) == running.cursor_now());
}
