#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <future>

#include "running_server.hpp"
#include "support/eventually.hpp"
#include "support/http_client.hpp"
#include "support/websocket_client.hpp"

using namespace rowcast;
using net::running_server;
using nlohmann::json;
using support::connect_as;
using support::http_client;
using support::websocket_client;

namespace {

constexpr auto insert = core::operation::insert;

net::session_listing list(running_server& of, const net::session_search& what = {})
{
    std::promise<net::session_listing> listed;
    of.server().list_sessions(what, [&](net::session_listing found) { listed.set_value(std::move(found)); });
    return listed.get_future().get();
}

std::size_t send_away(running_server& of, const net::session_choice& whom)
{
    std::promise<std::size_t> told;
    of.server().send_away(whom, [&](std::size_t sessions) { told.set_value(sessions); });
    return told.get_future().get();
}

std::vector<std::string> users(const net::session_listing& found)
{
    std::vector<std::string> all;
    for (const auto& each : found.sessions) {
        all.push_back(each.user);
    }
    return all;
}

net::session_search search(std::string text, std::string transport = "", bool catching_up = false)
{
    net::session_search what;
    what.text = std::move(text);
    what.transport = std::move(transport);
    what.catching_up = catching_up;
    return what;
}

using names = std::vector<std::string>;

} // namespace

TEST_CASE("a session is listed with who it is, from where, and what for, on every transport", "[net]")
{
    running_server running;
    auto socket = connect_as(running.port(), "ann:admin");
    socket.send({{"type", "subscribe"}, {"id", "a"}, {"table", "public.orders"}});
    socket.send({{"type", "subscribe"}, {"id", "b"}, {"table", "public.orders"}, {"where", {{"id", 1}}}});
    socket.send({{"type", "subscribe"}, {"id", "c"}, {"channel", "room:1"}});
    for (const char* const each : {"a", "b", "c"}) {
        REQUIRE(socket.await("subscribed").at("id") == each);
    }
    http_client stream(running.port());
    stream.open_stream("/v1/sse?table=public.orders&access_token=bob");
    stream.next_event();
    http_client poller(running.port());
    auto polled = std::async(std::launch::async, [&, after = running.cursor_now()] { return poller.get("/v1/changes?table=public.orders&access_token=carol&wait=60&after=" + after); });
    REQUIRE(support::eventually([&] { return list(running).matching == 3; }));

    const auto found = list(running);
    CHECK(users(found) == names{"ann", "bob", "carol"});
    const auto& ann = found.sessions[0];
    CHECK(ann.transport == "websocket");
    CHECK(ann.roles == names{"admin"});
    CHECK(ann.address == "127.0.0.1");
    CHECK(ann.subscriptions == 3);
    CHECK(ann.targets == names{"public.orders", "room:1"});
    CHECK_FALSE(ann.catching_up);
    CHECK(found.sessions[1].transport == "sse");
    CHECK(found.sessions[2].transport == "poll");

    CHECK(users(list(running, search("ar"))) == names{"carol"});
    CHECK(users(list(running, search(ann.session))) == names{"ann"});
    CHECK(users(list(running, search("", "sse"))) == names{"bob"});
    CHECK(list(running, search("", "", true)).matching == 0);
    running.commit({running_server::order(insert, 1, "carol", "open")});
    CHECK(polled.get().status == 200);
}

TEST_CASE("sessions are listed page by page, each once", "[net]")
{
    running_server running;
    std::vector<websocket_client> clients;
    for (int i = 0; i < 7; ++i) {
        clients.push_back(connect_as(running.port(), "user" + std::to_string(i / 2)));
    }
    net::session_search what;
    what.limit = 3;
    names seen;
    names sessions;
    for (int page = 0; page < 3; ++page) {
        const auto found = list(running, what);
        CHECK(found.matching == 7);
        CHECK(found.more == (page < 2));
        for (const auto& each : found.sessions) {
            seen.push_back(each.user);
            sessions.push_back(each.session);
        }
        what.after = {found.sessions.back().user, found.sessions.back().session};
    }
    CHECK(seen == names{"user0", "user0", "user1", "user1", "user2", "user2", "user3"});
    std::sort(sessions.begin(), sessions.end());
    CHECK(std::adjacent_find(sessions.begin(), sessions.end()) == sessions.end());
}

TEST_CASE("who is sent away is told when to come back, and the others stay", "[net]")
{
    running_server running;
    auto ann = connect_as(running.port(), "ann");
    auto other = connect_as(running.port(), "ann");
    auto bob = connect_as(running.port(), "bob");
    CHECK(send_away(running, {.session = list(running, search("bob")).sessions.at(0).session, .user = {}}) == 1);
    CHECK(bob.await("goodbye").at("reconnect_ms") >= 500);
    CHECK_FALSE(bob.receive());
    CHECK(bob.close_code() == 1001);
    CHECK(list(running, search("ann")).matching == 2);
    CHECK(send_away(running, {.session = {}, .user = "ann"}) == 2);
    ann.await("goodbye");
    other.await("goodbye");
    CHECK(send_away(running, {.session = "nobody's", .user = {}}) == 0);
    connect_as(running.port(), "bob"); // may come back
}
