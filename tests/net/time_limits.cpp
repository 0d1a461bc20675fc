#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include "observe/metrics_sink.hpp"
#include "running_server.hpp"
#include "support/raw_client.hpp"
#include "support/websocket_client.hpp"

using namespace rowcast;
using net::running_server;
using support::connect_as;
using support::raw_client;
using support::websocket_client;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds soon{100};

running_server::options with_limit(milliseconds net::time_limits::*limit, milliseconds of = soon)
{
    running_server::options how;
    how.times.*limit = of;
    return how;
}

// Waits for it; it is counted under the code, and told with the address.
void await_refused(running_server& running, const std::string& transport, const std::string& code)
{
    const auto refused = running.seen().wait_for<observe::request_refused>([&](const auto& each) { return each.transport == transport; });
    CHECK(refused.code == code);
    CHECK(refused.from == "127.0.0.1");
    observe::metrics_sink metrics;
    metrics(refused);
    CHECK_THAT(metrics.exposition(),
               Catch::Contains("rowcast_requests_refused_total{code=\"" + code + "\",transport=\"" + transport + "\"} 1"));
}

const std::string get_health = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string healthy = R"({"status":"ok"})";

} // namespace

TEST_CASE("who does not say in time who they are, where they must, is closed with 4401", "[net]")
{
    auto how = with_limit(&net::time_limits::authentication);
    how.anonymous = false;
    running_server running(how);
    auto ann = connect_as(running.port(), "ann");
    websocket_client silent(running.port());
    CHECK(silent.await("error").at("code") == "token_missing");
    CHECK(silent.await_close() == 4401);
    await_refused(running, "websocket", "token_missing");
    CHECK(running.seen().wait_for<observe::session_closed>().code == 4401);
    ann.send({{"type", "ping"}, {"id", 1}}); // has said so with the request
    CHECK(ann.await("pong").at("id") == 1);
}

TEST_CASE("a request whose header or content comes too slowly is let go and counted, however steadily it comes", "[net]")
{
    const std::string begun = GENERATE(as<std::string>(), "GET /healthz HTTP/1.1\r\nHost: x\r\nX: ",
                                       "POST /v1/changes HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n");
    running_server running(with_limit(&net::time_limits::request));
    raw_client slow(running.port());
    slow.send(begun);
    CHECK(support::eventually([&] {
        slow.send("x");
        return running.seen().count<observe::request_refused>() == 1;
    }));
    CHECK(slow.read_all().empty());
    await_refused(running, "http", "408");
}

TEST_CASE("a connection on which nothing is asked for is closed, before the first request and after it, and nobody is blamed", "[net]")
{
    running_server running(with_limit(&net::time_limits::idle, milliseconds(1'000)));
    raw_client waiting(running.port());
    waiting.send("GET /v1/changes?table=public.orders&access_token=ann&wait=60&after=" + running.cursor_now() + " HTTP/1.1\r\nHost: x\r\n\r\n");
    REQUIRE(support::eventually([&] { return running.views() == 1; }));
    raw_client silent(running.port());
    CHECK(silent.read_all().empty());
    raw_client once(running.port());
    once.send(get_health);
    once.read_until(healthy);
    CHECK(once.read_all().empty());
    CHECK(running.seen().count<observe::request_refused>() == 0);
    // Who waits for an answer has asked.
    running.commit({running_server::order(core::operation::insert, 1, "ann", "open")});
    waiting.read_until(R"("status":"open")");
}

TEST_CASE("a proxy that does not say in time for whom it comes is let go and counted", "[net][outside]")
{
    auto how = with_limit(&net::time_limits::proxy_header);
    how.settings.listen = {{{"127.0.0.1", 0}, 0660, true, true}};
    how.settings.proxies.networks = {*core::network::parse("127.0.0.1")};
    running_server running(how);
    raw_client silent(running.port());
    silent.send("PROXY TCP4 203.0");
    CHECK(silent.read_all().empty());
    await_refused(running, "tcp", "malformed");
}

TEST_CASE("a client that takes nothing of its rows holds up their reading until that has had its time, and no longer", "[net][outside]")
{
    running_server running(with_limit(&net::time_limits::answer_piece));
    const std::string wide(100'000, 'x');
    running.set_rows(std::vector<std::string>(200, R"({"id":1,"owner_id":"ann","status":")" + wide + R"(","secret":"s"})"));
    raw_client stuck(running.port());
    stuck.send("GET /v1/rows?table=public.orders&access_token=ann HTTP/1.1\r\nHost: x\r\n\r\n");
    stuck.read_until(R"({"rows":[)");
    CHECK(support::eventually([&] { return running.open_row_readings() == 0; }));
    CHECK_FALSE(stuck.read_all().ends_with("\r\n0\r\n\r\n"));
}
