#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
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

const std::string orders = "?table=public.orders";

bool is_refused(const http_client::answer& got, const std::string& code)
{
    return got.status == 429 && got.fields.contains("retry-after") && json::parse(got.body).at("code") == code;
}

bool is_refused_by_websocket(std::uint16_t port, const std::string& target, const std::string& code)
{
    websocket_client late(port, target);
    return late.await("error").at("code") == code && !late.receive() && late.close_code() == 4429;
}

} // namespace

TEST_CASE("under overload who comes is refused and told when to come back, and who is there is served", "[net]")
{
    running_server::options how;
    how.settings.limits.sessions = 2;
    running_server running(how);
    websocket_client ann(running.port(), "/v1/ws?access_token=ann");
    ann.send({{"type", "subscribe"}, {"id", "o"}, {"table", "public.orders"}});
    ann.await("subscribed");
    http_client stream(running.port());
    stream.open_stream("/v1/sse" + orders + "&access_token=ann");
    REQUIRE(stream.next_event()->name == "cursor");

    std::atomic<bool> going = true;
    std::atomic<int> wrong = 0;
    std::array<std::atomic<int>, 4> refused{};
    const std::vector<std::string> resources{"/v1/sse", "/v1/changes", "/v1/rows"};
    std::vector<std::thread> crowd;
    for (std::size_t which = 0; which < refused.size(); ++which) {
        crowd.emplace_back([&, which] {
            while (going) {
                try {
                    const bool fine = which == resources.size()
                                          ? is_refused_by_websocket(running.port(), "/v1/ws?access_token=bob", "too_many_sessions")
                                          : is_refused(http_client(running.port()).get(resources[which] + orders + "&access_token=bob"), "too_many_sessions");
                    ++(fine ? refused[which] : wrong);
                } catch (const std::exception&) {
                    ++wrong;
                }
            }
        });
    }
    const auto all_were_refused = [&](int times) {
        return std::all_of(refused.begin(), refused.end(), [&](const auto& each) { return each >= times; });
    };
    bool served = true;
    int id = 0;
    const bool overloaded = support::eventually([&] {
        running.commit({running_server::order(core::operation::insert, ++id, "ann", "open")});
        served = served && ann.await("changes").at("events").at(0).at("row").at("id") == id;
        served = served && json::parse(stream.next_event()->data).at("row").at("id") == id;
        return all_were_refused(5) || !served;
    });
    going = false;
    for (std::thread& each : crowd) {
        each.join();
    }
    CHECK(overloaded);
    CHECK(served);
    CHECK(wrong == 0);
    CHECK(http_client(running.port()).get("/readyz").status == 503);
    const auto told = running.seen().all<observe::request_refused>();
    for (const char* const transport : {"sse", "poll", "rows", "websocket"}) {
        CHECK(std::any_of(told.begin(), told.end(), [&](const auto& each) { return each.transport == transport && each.code == "too_many_sessions"; }));
    }

    ann.close();
    CHECK(support::eventually([&] { return http_client(running.port()).get("/v1/changes" + orders + "&access_token=bob").status == 200; }));
}

TEST_CASE("an address has so many sessions and no more, on all transports, whoever they are of", "[net][outside]")
{
    running_server::options how;
    how.settings.limits.sessions_per_address = 1;
    how.settings.proxies = {{*core::network::parse("127.0.0.1")}, false};
    running_server running(how);
    const auto from = [&](const std::string& address) { return http_client::headers{{"X-Forwarded-For", address}}; };
    const auto poll = [&](const std::string& address, const std::string& user) {
        return http_client(running.port()).get("/v1/changes" + orders + "&access_token=" + user, from(address));
    };
    auto held = std::make_unique<http_client>(running.port());
    held->open_stream("/v1/sse" + orders + "&access_token=ann", from("2001:db8::1"));
    REQUIRE(held->next_event()->name == "cursor");
    CHECK(is_refused(poll("2001:db8::1", "bob"), "too_many_sessions"));
    CHECK(is_refused(poll("2001:db8::ffff:1", "bob"), "too_many_sessions")); // the same network of 64 bits
    CHECK(poll("2001:db8:0:1::1", "bob").status == 200);
    CHECK(poll("203.0.113.7", "bob").status == 200);
    websocket_client late(running.port(), "/v1/ws", from("2001:db8::2"));
    CHECK(late.await("error").at("code") == "too_many_sessions");
    CHECK_FALSE(late.receive());
    CHECK(late.close_code() == 4429);
    held.reset();
    CHECK(support::eventually([&] { return poll("2001:db8::1", "bob").status == 200; }));
}

TEST_CASE("who says who they are on an open WebSocket takes a user's place for a nameless one", "[net]")
{
    running_server::options how;
    how.settings.limits.sessions = 2;
    how.settings.limits.sessions_per_user = 1;
    running_server running(how);
    websocket_client first(running.port());
    first.send({{"type", "auth"}, {"token", "ann"}});
    first.await("authenticated");
    websocket_client second(running.port());
    second.send({{"type", "auth"}, {"token", "ann"}});
    CHECK(second.await("error").at("code") == "too_many_sessions");
    CHECK_FALSE(second.receive());
    CHECK(second.close_code() == 4429);
    first.close();
    CHECK(support::eventually([&] {
        websocket_client third(running.port());
        third.send({{"type", "auth"}, {"token", "ann"}});
        third.await("welcome");
        return third.receive()->at("type") == "authenticated";
    }));
}
