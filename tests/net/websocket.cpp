#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include <random>
#include <thread>

#include "running_server.hpp"
#include "support/raw_client.hpp"
#include "support/websocket_client.hpp"

using namespace rowcast;
using net::running_server;
using nlohmann::json;
using support::connect_as;
using support::websocket_client;
using std::chrono::milliseconds;

namespace {

running_server::options token_required()
{
    running_server::options how;
    how.anonymous = false;
    return how;
}

running_server::options with_heartbeat(milliseconds heartbeat)
{
    running_server::options how;
    how.settings.heartbeat = heartbeat;
    return how;
}

json orders(const std::string& id = "o")
{
    return {{"type", "subscribe"}, {"id", id}, {"table", "public.orders"}};
}

constexpr auto insert = core::operation::insert;
constexpr auto update = core::operation::update;
constexpr auto remove_row = core::operation::remove;

} // namespace

TEST_CASE("a customer receives their own orders, without what is not theirs", "[net]")
{
    running_server running;
    auto client = connect_as(running.port(), "ann");
    client.send(orders());
    const json subscribed = *client.receive();
    CHECK(subscribed.at("type") == "subscribed");
    CHECK(subscribed.at("status") == "live");
    CHECK(subscribed.at("id") == "o");

    running.commit({running_server::order(insert, 1, "bob", "open"), running_server::order(insert, 2, "ann", "open")});
    const json changes = *client.receive();
    CHECK(changes.at("type") == "changes");
    CHECK(running_server::unmarked(changes.at("cursor")) == running.cursor_now());
    CHECK(changes.at("more") == false);
    REQUIRE(changes.at("events").size() == 1);
    const json event = changes.at("events").at(0);
    CHECK(event.at("subs") == json{"o"});
    CHECK(event.at("op") == "INSERT");
    CHECK(event.at("row") == json{{"id", 2}, {"owner_id", "ann"}, {"status", "open"}});
    CHECK(event.at("key") == json{{"id", 2}});
}

TEST_CASE("a message reaches who is in its room", "[net]")
{
    running_server running;
    websocket_client client(running.port());
    client.send({{"type", "subscribe"}, {"id", "r"}, {"channel", "room:42"}});
    client.await("subscribed");
    running.commit({running_server::message("room:41", "typing", "{}"), running_server::message("room:42", "typing", R"({"user":7})")});
    const json changes = client.await("changes");
    REQUIRE(changes.at("events").size() == 1);
    CHECK(changes.at("events").at(0).at("payload") == json{{"user", 7}});
}

TEST_CASE("one change for two subscriptions is one event", "[net]")
{
    running_server running;
    auto client = connect_as(running.port(), "ann");
    client.send(orders("a"));
    client.send(orders("b"));
    client.await("subscribed");
    client.await("subscribed");
    running.commit({running_server::order(insert, 1, "ann", "open")});
    CHECK(client.await("changes").at("events").at(0).at("subs") == json({"a", "b"}));
}

TEST_CASE("a subscription is resumed from its cursor", "[net]")
{
    running_server running;
    const std::string before = running.cursor_now();
    running.commit({running_server::order(insert, 1, "ann", "open")});
    auto client = connect_as(running.port(), "ann");
    auto wanted = orders();
    wanted["after"] = before;
    client.send(wanted);
    CHECK(client.await("subscribed").at("status") == "resumed");
    const json changes = client.await("changes");
    CHECK(changes.at("id") == "o");
    CHECK(changes.at("events").size() == 1);
}

TEST_CASE("a cursor that cannot be used resets the subscription and says why", "[net]")
{
    running_server::options how;
    how.recent = {1, 1};
    running_server running(how);
    const std::string old = running.cursor_now();
    for (int i = 0; i < 5; ++i) {
        running.commit({running_server::order(insert, i, "ann", "open")});
    }
    auto client = connect_as(running.port(), "ann");
    int number = 0;
    for (const auto& [cursor, reason] : std::vector<std::pair<std::string, std::string>>{
             {"nonsense", "cursor_malformed"}, {running.foreign_cursor(), "cursor_foreign"}, {old, "cursor_expired"}}) {
        auto wanted = orders(std::to_string(++number));
        wanted["after"] = cursor;
        client.send(wanted);
        const json subscribed = client.await("subscribed");
        CHECK(subscribed.at("status") == "reset");
        CHECK(subscribed.at("reason") == reason);
        CHECK(running_server::unmarked(subscribed.at("cursor")) == running.cursor_now());
    }
}

TEST_CASE("every mistake has its name, and the connection lives on", "[net]")
{
    running_server running;
    auto client = connect_as(running.port(), "ann");
    const auto refused = [&](const std::string& text) {
        client.send_text(text);
        const json error = *client.receive();
        INFO(error);
        CHECK(error.at("type") == "error");
        CHECK_FALSE(error.at("message").get<std::string>().empty());
        return error.at("code").get<std::string>() + ":" + error.value("id", "");
    };
    CHECK(refused(R"({"type":"shout"})") == "unknown_type:");
    CHECK(refused(R"({"type":"subscribe","id":"o","table":"public.orders","colums":[]})") == "unknown_member:o");
    CHECK(refused(R"({"type":"subscribe","id":"o","table":"public.nothing"})") == "unknown_table:o");
    CHECK(refused(R"({"type":"subscribe","id":"o","table":"public.orders","columns":["nothing"]})") == "unknown_column:o");
    CHECK(refused(R"({"type":"subscribe","id":"o","table":"public.orders","columns":["secret"]})") == "forbidden_column:o");
    CHECK(refused(R"({"type":"subscribe","id":"o","table":"public.orders","where":{"secret":"x"}})") == "forbidden_column:o");
    CHECK(refused(R"({"type":"subscribe","id":"o","table":"public.orders","where":{"id":{"eqq":1}}})") == "bad_filter:o");
    CHECK(refused(R"({"type":"subscribe","id":"o","table":"public.orders","where":{"id":"many"}})") == "bad_filter:o");
    CHECK(refused(R"({"type":"subscribe","id":"o","channel":"room:1","snapshot":true})") == "unknown_member:o");
    CHECK(refused(R"({"type":"subscribe","id":"o","table":"public.orders","old":"yes"})") == "bad_request:o");
    CHECK(refused(R"({"type":"subscribe","id":"o","channel":"secrets"})") == "forbidden:o");
    CHECK(refused(R"({"type":"unsubscribe","id":"o"})") == "unknown_subscription:o");
    client.send(orders());
    client.await("subscribed");
    CHECK(refused(R"({"type":"subscribe","id":"o","table":"public.orders"})") == "duplicate_subscription:o");
    CHECK(refused(R"({"type":"auth","token":"bob"})") == "subject_changed:");

    client.send({{"type", "ping"}, {"id", 7}});
    CHECK(client.receive() == json{{"type", "pong"}, {"id", 7}});
}

TEST_CASE("what is no message ends the connection with 4400", "[net]")
{
    running_server running;
    const std::string text = GENERATE(as<std::string>(), "", "hello", "[]", "{", R"({"type":"ping","type":"ping"})");
    websocket_client client(running.port());
    client.await("welcome");
    client.send_text(text);
    CHECK(client.await("error").at("code") == "malformed");
    CHECK(client.await_close() == 4400);
}

TEST_CASE("a message that is too large ends the connection with 1009", "[net]")
{
    running_server running;
    websocket_client client(running.port());
    client.send_text(R"({"type":"ping","id":")" + std::string(70'000, 'x') + "\"}");
    CHECK(client.await_close() == 1009);
}

TEST_CASE("too many messages a second end the connection with 4429", "[net]")
{
    running_server::options how;
    how.settings.limits.messages_per_second = 5;
    running_server running(how);
    websocket_client client(running.port());
    for (int i = 0; i < 50; ++i) {
        client.send({{"type", "ping"}});
    }
    CHECK(client.await("error").at("code") == "too_many_messages");
    CHECK(client.await_close() == 4429);
}

TEST_CASE("a session has as many subscriptions as it may have", "[net]")
{
    running_server::options how;
    how.settings.limits.subscriptions_per_session = 2;
    running_server running(how);
    auto client = connect_as(running.port(), "ann");
    for (const char* id : {"1", "2", "3"}) {
        client.send(orders(id));
    }
    const json error = client.await("error");
    CHECK(error.at("code") == "too_many_subscriptions");
    CHECK(error.at("id") == "3");
    client.send({{"type", "unsubscribe"}, {"id", "1"}});
    client.await("unsubscribed");
    client.send(orders("3"));
    CHECK(client.await("subscribed").at("id") == "3");
}

TEST_CASE("a user has as many sessions as they may have, and a place is free again after a session", "[net]")
{
    running_server::options how;
    how.settings.limits.sessions_per_user = 2;
    running_server running(how);
    auto first = connect_as(running.port(), "ann");
    auto second = connect_as(running.port(), "ann");
    websocket_client third(running.port());
    third.await("welcome");
    third.send({{"type", "auth"}, {"token", "ann"}});
    CHECK(third.await("error").at("code") == "too_many_sessions");
    CHECK(third.await_close() == 4429);
    auto other = connect_as(running.port(), "bob");
    const auto from = running.seen().size();
    first.close();
    running.seen().wait_for<observe::session_closed>([](const auto&) { return true; }, from);
    connect_as(running.port(), "ann");
}

TEST_CASE("there are as many sessions as there may be", "[net]")
{
    running_server::options how;
    how.settings.limits.sessions = 1;
    running_server running(how);
    websocket_client first(running.port());
    first.await("welcome");
    websocket_client second(running.port());
    CHECK(second.await("error").at("code") == "too_many_sessions");
    CHECK(second.await_close() == 4429);
}

TEST_CASE("a bad token in the header or in the URL is refused before the upgrade", "[net]")
{
    running_server running(token_required());
    CHECK_THROWS_WITH(websocket_client(running.port(), "/v1/ws", {{"Authorization", "Bearer bad"}}), Catch::Contains("401"));
    CHECK_THROWS_WITH(websocket_client(running.port(), "/v1/ws?access_token=bad"), Catch::Contains("401"));
    CHECK_THROWS_WITH(websocket_client(running.port(), "/v1/ws?acces_token=ann"), Catch::Contains("400"));
    CHECK_THROWS_WITH(websocket_client(running.port(), "/v1/ws", {{"Origin", "https://evil.example.com"}}), Catch::Contains("403"));
    CHECK_THROWS_WITH(websocket_client(running.port(), "/v1/ws", {{"Sec-WebSocket-Protocol", "graphql-ws"}}), Catch::Contains("400"));
    websocket_client client(running.port(), "/v1/ws?access_token=ann");
    CHECK(client.receive()->at("type") == "welcome");
    CHECK(client.receive()->at("type") == "authenticated");
}

TEST_CASE("where a token is required, the first message must be an auth", "[net]")
{
    running_server running(token_required());
    websocket_client client(running.port());
    client.await("welcome");
    client.send({{"type", "auth"}, {"token", "ann:customer:100"}});
    CHECK(client.await("authenticated").contains("expires"));
    client.send(orders());
    client.await("subscribed");

    websocket_client hasty(running.port());
    hasty.send(orders());
    CHECK(hasty.await("error").at("code") == "token_missing");
    CHECK(hasty.await_close() == 4401);

    websocket_client wrong(running.port());
    wrong.send({{"type", "auth"}, {"token", "bad"}});
    CHECK(wrong.await("error").at("code") == "token_invalid");
    CHECK(wrong.await_close() == 4401);
}

TEST_CASE("a token that is about to expire is announced, and the session ends with it", "[net]")
{
    running_server running;
    auto client = connect_as(running.port(), "ann:customer:2");
    CHECK(client.await("expiring").at("in") <= 2);
    CHECK(client.await("error").at("code") == "token_expired");
    CHECK(client.await_close() == 4401);
}

TEST_CASE("a fresh token keeps the session alive", "[net]")
{
    running_server running;
    auto client = connect_as(running.port(), "ann:customer:2");
    client.await("expiring");
    client.send({{"type", "auth"}, {"token", "ann:customer:100"}});
    client.await("authenticated");
    client.send(orders());
    client.await("subscribed");
    CHECK_THROWS(client.receive(milliseconds(3'000))); // nothing more is said, least of all a close
}

TEST_CASE("a token that ends sooner than the one before ends the session in its own time", "[net]")
{
    running_server running(with_heartbeat(milliseconds(600'000))); // which is not what it is noticed by
    auto client = connect_as(running.port(), "ann:customer:1000");
    client.send({{"type", "auth"}, {"token", "ann:customer:2"}});
    client.await("authenticated");
    CHECK(client.await("error").at("code") == "token_expired");
    CHECK(client.await_close() == 4401);
}

TEST_CASE("a token with fewer rights ends what it no longer gives", "[net]")
{
    running_server running;
    auto client = connect_as(running.port(), "ann:admin:100");
    client.send(orders());
    client.await("subscribed");
    client.send({{"type", "auth"}, {"token", "ann:nobody:100"}});
    client.await("authenticated");
    const json told = client.await("resync");
    CHECK(told.at("id") == "o");
    CHECK(told.at("reason") == "permissions_changed");
    client.send(orders());
    CHECK(client.await("error").at("code") == "forbidden");
}

TEST_CASE("changed rules end the subscriptions that they change, and no others", "[net]")
{
    running_server running;
    auto ann = connect_as(running.port(), "ann");
    auto admin = connect_as(running.port(), "root:admin:100");
    ann.send(orders());
    ann.await("subscribed");
    admin.send(orders());
    admin.await("subscribed");
    auto rules = running_server::rules();
    rules.tables.at("public.orders").erase(rules.tables.at("public.orders").begin());
    running.set_rules(rules);
    CHECK(ann.receive()->at("type") == "resync");
    running.commit({running_server::order(insert, 1, "ann", "open")});
    CHECK(admin.receive()->at("type") == "changes");
    ann.send(orders());
    CHECK(ann.receive()->at("code") == "forbidden");
}

TEST_CASE("what no trigger tells is told as a resync, after which the client subscribes anew", "[net]")
{
    running_server running;
    auto client = connect_as(running.port(), "ann");
    client.send(orders());
    client.await("subscribed");
    running.commit({running_server::resync("partition_detached")});
    CHECK(client.receive() == json{{"type", "resync"}, {"id", "o"}, {"reason", "partition_detached"}});
    running.commit({running_server::order(insert, 1, "ann", "open")});
    client.send(orders());
    CHECK(client.receive()->at("type") == "subscribed");
    running.commit({running_server::order(insert, 2, "ann", "open")});
    CHECK(client.receive()->at("events").at(0).at("key") == json{{"id", 2}});
}

TEST_CASE("events and filters narrow a subscription", "[net]")
{
    running_server running;
    auto client = connect_as(running.port(), "root:admin:100");
    auto wanted = orders();
    wanted["events"] = {"INSERT"};
    wanted["where"] = {{"status", {{"in", {"open", "paid"}}}}};
    wanted["columns"] = {"id"};
    client.send(wanted);
    client.await("subscribed");
    running.commit({running_server::order(remove_row, 1, "ann", "open"), running_server::order(insert, 2, "ann", "draft"),
                    running_server::order(insert, 3, "ann", "paid")});
    const json changes = client.await("changes");
    REQUIRE(changes.at("events").size() == 1);
    CHECK(changes.at("events").at(0).at("row") == json{{"id", 3}});
}

TEST_CASE("the cursor moves on also when nothing matches", "[net]")
{
    running_server running(with_heartbeat(milliseconds(100)));
    auto client = connect_as(running.port(), "ann");
    client.send(orders());
    client.await("subscribed");
    running.commit_something();
    CHECK(running_server::unmarked(client.await("cursor").at("cursor")) == running.cursor_now());
}

TEST_CASE("no event comes after `unsubscribed`", "[net]")
{
    running_server running;
    auto client = connect_as(running.port(), "ann");
    client.send(orders());
    client.await("subscribed");
    for (int i = 0; i < 50; ++i) {
        running.commit({running_server::order(insert, i, "ann", "open")});
        if (i == 25) {
            client.send({{"type", "unsubscribe"}, {"id", "o"}});
        }
    }
    client.await("unsubscribed");
    client.send({{"type", "ping"}, {"id", 1}});
    CHECK(client.receive()->at("type") == "pong");
}

TEST_CASE("a peer that is silent for two heartbeats is closed with 4408", "[net]")
{
    auto how = with_heartbeat(milliseconds(200));
    how.times.websocket_handshake = milliseconds(1'000);
    running_server running(how);
    // It reads, but answers no ping, and not the close.
    support::raw_client client(running.port());
    client.send("GET /v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    client.read_until("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    const std::string all = client.read_all();
    CHECK(all.find("no_heartbeat") != std::string::npos);
    const std::string close{'\x88', '\x0e', '\x11', '\x38'}; // a close frame of 14 bytes: 4408 and "no_heartbeat"
    CHECK(all.find(close) != std::string::npos);
}

TEST_CASE("a client that answers pings stays, however long it says nothing", "[net]")
{
    running_server running(with_heartbeat(milliseconds(1000)));
    auto client = connect_as(running.port(), "ann");
    client.send(orders());
    client.await("subscribed");
    // A cursor a heartbeat, for twice as long as a silent client has.
    for (int i = 0; i < 4; ++i) {
        running.commit_something();
        const auto message = client.receive();
        REQUIRE(message);
        REQUIRE(message->at("type") == "cursor");
    }
}

TEST_CASE("a server that stops says goodbye and closes with 1001", "[net]")
{
    running_server running;
    auto client = connect_as(running.port(), "ann");
    std::thread stopping([&] { running.server().stop(std::chrono::seconds(10)); });
    const json goodbye = client.await("goodbye");
    CHECK(goodbye.at("reason") == "shutdown");
    CHECK(goodbye.at("reconnect_ms") >= 500);
    CHECK(client.await_close() == 1001);
    stopping.join();
}

TEST_CASE("a server that stops does not wait for those who do not answer", "[net]")
{
    running_server running;
    support::raw_client silent(running.port());
    silent.send("GET /v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    silent.read_until("welcome");
    support::raw_client half(running.port());
    half.send("GET /v1/ws HTTP/1.1\r\n");
    const auto begun = std::chrono::steady_clock::now();
    running.server().stop(milliseconds(300));
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(4));
}

TEST_CASE("a client that does not read is not buffered without end, and gets everything when it reads again", "[net]")
{
    running_server::options how;
    how.settings.limits.send_buffer = 50'000;
    how.shards = 1;
    running_server running(how);
    auto client = connect_as(running.port(), "root:admin:1000");
    client.send(orders());
    client.await("subscribed");
    const std::string wide(20'000, 'x');
    constexpr int rows = 600; // 24 MB: more than sockets hold, less than the ring, as there is no log behind it here
    for (int i = 0; i < rows; ++i) {
        running.commit({running_server::order(insert, i, wide, wide)});
    }
    int next = 0;
    while (next < rows) {
        const json changes = client.await("changes");
        for (const json& event : changes.at("events")) {
            REQUIRE(event.at("key").at("id") == next);
            ++next;
        }
    }
    running.commit({running_server::order(update, 1, "ann", "open")});
    CHECK(running.seen().count<observe::fell_behind>() > 0);
}

TEST_CASE("of a transaction that is more than a message holds each client gets all, in several", "[net]")
{
    running_server running;
    std::vector<websocket_client> clients;
    for (int i = 0; i < 100; ++i) { // more than are sent to together
        clients.push_back(connect_as(running.port(), "root" + std::to_string(i) + ":admin"));
        clients.back().send(orders());
        clients.back().await("subscribed");
    }
    constexpr int rows = 200;
    const std::string wide(1'000, 'x');
    std::vector<core::change> changes;
    for (int i = 0; i < rows; ++i) {
        changes.push_back(running_server::order(insert, i, "ann", wide));
    }
    running.commit(std::move(changes));
    for (websocket_client& each : clients) {
        int next = 0;
        int messages = 0;
        while (next < rows) {
            const json told = each.await("changes");
            ++messages;
            for (const json& event : told.at("events")) {
                REQUIRE(event.at("key").at("id") == next);
                ++next;
            }
            REQUIRE(told.at("more") == (next < rows));
        }
        CHECK(messages > 2);
    }
}

TEST_CASE("random messages are answered or end the connection, and the server lives on", "[net]")
{
    running_server::options how;
    how.settings.limits.messages_per_second = 100'000;
    running_server running(how);
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random(seed);
    const std::vector<std::string> parts{R"({"type":)", R"("subscribe")", R"("ping")", R"("auth")", ",", R"("id":)", R"("o")", R"("table":"public.orders")",
                                         R"("where":{)", R"("id":)", "1", "{", "}", "[", "]", R"("in")", ":", "null", R"("token":"bad")", "\xc3\xa9", "\""};
    for (int round = 0; round < 30; ++round) {
        websocket_client client(running.port());
        try {
            for (int i = 0; i < 20; ++i) {
                std::string text;
                for (std::size_t k = random() % 10; k > 0; --k) {
                    text += parts[random() % parts.size()];
                }
                client.send_text(text);
            }
            client.await_close();
        } catch (const std::exception&) {
            // closed while we were sending
        }
    }
    connect_as(running.port(), "ann");
}
