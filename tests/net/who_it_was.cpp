#include <catch2/catch.hpp>

#include "running_server.hpp"
#include "support/http_client.hpp"
#include "support/raw_client.hpp"
#include "support/websocket_client.hpp"

using namespace rowcast;
using net::running_server;
using support::http_client;
using support::websocket_client;

namespace {

const std::string no_such_column = "?table=public.orders&nothing=eq.1";

observe::request_refused refused_over(running_server& running, const std::string& transport)
{
    return running.seen().wait_for<observe::request_refused>([&](const auto& each) { return each.transport == transport; });
}

} // namespace

TEST_CASE("of what is refused over a WebSocket the log is told whose session it was, and of its end too", "[net]")
{
    running_server running;
    {
        websocket_client client(running.port(), "/v1/ws?access_token=ann");
        const std::string session = client.await("welcome").at("session");
        client.send({{"type", "unsubscribe"}, {"id", "nothing"}});
        client.await("error");
        const auto refused = refused_over(running, "websocket");
        CHECK(refused.session == session);
        CHECK(refused.subject == "ann");
        CHECK(refused.from == "127.0.0.1");
    }
    CHECK(running.seen().wait_for<observe::session_closed>().subject == "ann");
}

TEST_CASE("of what is refused before anybody knows whose it is the log is told from where it came, and what it was", "[net]")
{
    auto how = running_server::options();
    how.anonymous = false;
    running_server running(how);
    CHECK(http_client(running.port()).get("/v1/changes?table=public.orders").status == 401);
    const auto nobody = refused_over(running, "poll");
    CHECK(nobody.from == "127.0.0.1");
    CHECK(nobody.code == "token_missing");
    CHECK(nobody.detail == "/v1/changes");
    CHECK(nobody.subject.empty());

    support::raw_client client(running.port());
    client.send("no request\r\n\r\n");
    client.read_all();
    const auto unreadable = refused_over(running, "http");
    CHECK(unreadable.from == "127.0.0.1");
    CHECK(unreadable.code == "malformed");
    CHECK(unreadable.detail.starts_with("not a request of HTTP/1.1"));
}

TEST_CASE("of a request that is refused the log is told whose it was, on every transport", "[net]")
{
    running_server running;
    http_client client(running.port());
    for (const auto& [transport, path] : {std::pair("sse", "/v1/sse"), {"poll", "/v1/changes"}, {"rows", "/v1/rows"}}) {
        CHECK(client.get(path + no_such_column + "&access_token=ann").status == 400);
        CHECK(refused_over(running, transport).subject == "ann");
    }
    http_client(running.port()).open_stream("/v1/sse?table=public.orders&access_token=ann");
    CHECK(running.seen().wait_for<observe::session_closed>().subject == "ann");
}
