#include <catch2/catch.hpp>

#include "running_server.hpp"
#include "support/http_client.hpp"
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
    }
    CHECK(running.seen().wait_for<observe::session_closed>().subject == "ann");
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
