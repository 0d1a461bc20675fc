#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include <random>

#include "running_server.hpp"
#include "support/http_client.hpp"
#include "support/raw_client.hpp"
#include "support/websocket_client.hpp"

using namespace rowcast;
using net::running_server;
using nlohmann::json;
using support::http_client;
using support::raw_client;
using support::websocket_client;

namespace {

std::string code_of(const http_client::answer& refused)
{
    CHECK(refused.fields.at("content-type") == "application/problem+json");
    const json problem = json::parse(refused.body);
    CHECK(problem.at("status") == refused.status);
    CHECK_FALSE(problem.at("title").get<std::string>().empty());
    return problem.at("code");
}

constexpr char get_health[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

} // namespace

TEST_CASE("health, readiness and pages are served", "[net]")
{
    running_server running;
    http_client client(running.port());
    CHECK(client.get("/healthz").body == R"({"status":"ok"})");
    CHECK(client.get("/readyz").body == R"({"ready":true})");
    running.set_not_ready({"no connection to PostgreSQL"});
    auto answer = client.get("/readyz");
    CHECK(answer.status == 503);
    CHECK(answer.body == R"({"ready":false,"reasons":["no connection to PostgreSQL"]})");
    answer = client.get("/");
    CHECK(answer.body == "<p>hello");
    CHECK(answer.fields.at("content-type") == "text/html");
    CHECK(answer.fields.at("x-content-type-options") == "nosniff");
    CHECK(answer.fields.at("referrer-policy") == "no-referrer");
}

TEST_CASE("what is not there, not allowed or not known has its own answer", "[net]")
{
    running_server running;
    http_client client(running.port());
    CHECK(code_of(client.get("/nothing")) == "not_found");
    CHECK(code_of(client.get("/v1/ws/")) == "not_found");
    auto answer = client.request("POST", "/v1/changes", {}, "{}");
    CHECK(answer.status == 405);
    CHECK(answer.fields.at("allow") == "GET, HEAD, OPTIONS");
    CHECK(code_of(answer) == "method_not_allowed");
    answer = client.request("BREW", "/healthz", {}, "");
    CHECK(answer.status == 501);
    CHECK(code_of(client.get("/v1/rows?table=public.orders")) == "forbidden");
    CHECK(code_of(client.get("/v1/ws")) == "bad_request");
}

TEST_CASE("HEAD has the headers of GET and no body", "[net]")
{
    running_server running;
    raw_client client(running.port());
    client.send("HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const std::string all = client.read_all();
    CHECK(all.find("Content-Length: 15\r\n") != std::string::npos);
    CHECK(all.find("\r\n\r\nHTTP/1.1 200 OK") != std::string::npos);
    CHECK(all.ends_with(R"({"status":"ok"})"));
}

TEST_CASE("a token is wanted where it is configured, in the header or in the URL", "[net]")
{
    running_server::options how;
    how.anonymous = false;
    running_server running(how);
    http_client client(running.port());
    auto answer = client.get("/v1/session");
    CHECK(answer.status == 401);
    CHECK(code_of(answer) == "token_missing");
    CHECK(answer.fields.at("www-authenticate") == R"(Bearer realm="rowcast")");
    answer = client.get("/v1/session", {{"Authorization", "Bearer bad"}});
    CHECK(code_of(answer) == "token_invalid");
    CHECK(answer.fields.at("www-authenticate") == R"(Bearer realm="rowcast", error="invalid_token")");
    CHECK(client.get("/v1/session", {{"Authorization", "Basic YTpi"}}).status == 401);
    CHECK(client.get("/v1/session", {{"Authorization", "bearer ann:customer"}}).status == 200);
    CHECK(client.get("/v1/session?access_token=ann").status == 200);
    CHECK(code_of(client.get("/v1/session?access_token=ann", {{"Authorization", "Bearer ann"}})) == "bad_request");
}

TEST_CASE("a session says who one is and what is offered", "[net]")
{
    running_server::options how;
    how.offered.sse = 0;
    running_server running(how);
    http_client client(running.port());
    CHECK(client.get("/v1/session").body == R"({"roles":["anonymous"],"transports":["websocket","poll"],"heartbeat":25})");
    const json who = json::parse(client.get("/v1/session", {{"Authorization", "Bearer ann:admin:60"}}).body);
    CHECK(who.at("roles") == json{"admin"});
    CHECK(who.contains("expires"));
}

TEST_CASE("an offer to a part of the users is the same for a user every time", "[net]")
{
    running_server::options how;
    how.offered.websocket = 50;
    running_server running(how);
    http_client client(running.port());
    int offered = 0;
    for (int user = 0; user < 200; ++user) {
        const std::string target = "/v1/session?access_token=user" + std::to_string(user);
        const std::string first = client.get(target).body;
        CHECK(client.get(target).body == first);
        offered += first.find("websocket") != std::string::npos ? 1 : 0;
    }
    CHECK(offered > 60);
    CHECK(offered < 140);
}

TEST_CASE("pages of other origins are let in by the list only", "[net]")
{
    running_server::options how;
    how.settings.origins = {"https://app.example.com"};
    running_server running(how);
    http_client client(running.port());
    const std::string self = "127.0.0.1:" + std::to_string(running.port());

    auto answer = client.get("/v1/session", {{"Origin", "https://app.example.com"}});
    CHECK(answer.status == 200);
    CHECK(answer.fields.at("access-control-allow-origin") == "https://app.example.com");
    CHECK(answer.fields.at("vary") == "Origin");
    CHECK(client.get("/v1/session", {{"Origin", "http://" + self}, {"Host", self}}).status == 200);
    answer = client.get("/v1/session", {{"Origin", "https://evil.example.com"}});
    CHECK(code_of(answer) == "forbidden");
    CHECK(answer.fields.count("access-control-allow-origin") == 0);

    answer = client.request("OPTIONS", "/v1/changes", {{"Origin", "https://app.example.com"}, {"Access-Control-Request-Method", "GET"}}, "");
    CHECK(answer.status == 204);
    CHECK(answer.fields.at("access-control-allow-headers").find("Authorization") != std::string::npos);
    answer = client.request("OPTIONS", "/v1/changes", {{"Origin", "https://evil.example.com"}, {"Access-Control-Request-Method", "GET"}}, "");
    CHECK(answer.status == 403);
    // An error, too, must be readable for the page that it is meant for.
    answer = client.get("/v1/changes?table=public.nothing", {{"Origin", "https://app.example.com"}});
    CHECK(answer.fields.at("access-control-allow-origin") == "https://app.example.com");
    CHECK(client.request("OPTIONS", "/healthz", {{"Origin", "https://evil.example.com"}}, "").status == 403);
}

TEST_CASE("a page can read why it is refused a stream, changes or rows", "[net]")
{
    running_server::options how;
    how.settings.origins = {"https://app.example.com"};
    how.settings.limits.sessions = 1;
    running_server running(how);
    websocket_client only(running.port());
    only.await("welcome");
    const std::string path = GENERATE(as<std::string>(), "/v1/sse", "/v1/changes", "/v1/rows");
    http_client client(running.port());
    const auto answer = client.get(path + "?table=public.orders", {{"Origin", "https://app.example.com"}, {"Authorization", "Bearer ann"}});
    CHECK(code_of(answer) == "too_many_sessions");
    CHECK(answer.fields.at("access-control-allow-origin") == "https://app.example.com");
}

TEST_CASE("requests may come in one piece or byte by byte", "[net]")
{
    running_server running;
    raw_client client(running.port());
    client.send(std::string(get_health) + get_health + get_health);
    for (int i = 0; i < 3; ++i) {
        client.read_until(R"({"status":"ok"})");
    }
    for (const char c : std::string(get_health)) {
        client.send({&c, 1});
    }
    client.read_until(R"({"status":"ok"})");
    client.send("GET /healthz HTTP/1.0\r\n\r\n");
    CHECK(client.read_all().find("Connection: close") != std::string::npos);
}

TEST_CASE("what is not HTTP is refused and closed", "[net][outside]")
{
    running_server running;
    const auto [request, status] = GENERATE(table<std::string, std::string>({
        {"hello\r\n\r\n", "400"},
        {"GET / HTTP/9.9\r\n\r\n", "400"},
        {"GET /healthz HTTP/1.1\r\n\r\n", "400"},
        {"GET healthz HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
        {"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400"},
        {"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400"},
        {"GET /" + std::string(9'000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n", "413"},
        {"GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(20'000, 'a') + "\r\n\r\n", "413"},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n", "413"},
    }));
    raw_client client(running.port());
    client.send(request);
    client.finish_sending();
    const std::string answer = client.read_all();
    INFO(request.substr(0, 80));
    CHECK(answer.starts_with("HTTP/1.1 " + status));
    CHECK(answer.find("application/problem+json") != std::string::npos);
    CHECK(http_client(running.port()).get("/healthz").status == 200);
}

// RFC 9112 sections 5.1, 5.2, 6.1, 6.3 and 11.2: what a proxy in front may read in another way.
TEST_CASE("a request that two readers could take for different ones is refused, and nothing of it is taken for a second", "[net][outside]")
{
    running_server running;
    const std::string inside = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    const std::string begin = "POST /healthz HTTP/1.1\r\nHost: x\r\n";
    const std::string request = GENERATE_COPY(values<std::string>({
        begin + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inside,
        begin + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + inside,
        begin + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + inside,
        begin + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + inside,
        begin + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + inside,
        begin + "Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n" + inside,
        begin + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + inside,
        "POST /healthz HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inside,
        begin + "Content-Length: +0\r\n\r\n" + inside,
        begin + "Content-Length: -1\r\n\r\n" + inside,
        begin + "Content-Length: 0x0\r\n\r\n" + inside,
        begin + "Content-Length: 0, 5\r\n\r\n" + inside,
        begin + "Content-Length: \r\n\r\n" + inside,
        begin + "Content-Length : 0\r\n\r\n" + inside,
        begin + "X: a\rb\r\n\r\n" + inside,
        begin + "X: a" + std::string(1, '\0') + "b\r\n\r\n" + inside,
        begin + "X\r\n\r\n" + inside,
        "GET /healthz HTTP/1.1\nHost: x\n\n" + inside,
        "GET  /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + inside,
        "GET /healthz\tHTTP/1.1\r\nHost: x\r\n\r\n" + inside,
        begin + "Transfer-Encoding: chunked\r\n\r\n-1\r\n" + inside,
        begin + "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n" + inside,
    }));
    INFO(request.substr(0, 120));
    raw_client client(running.port());
    client.send(request);
    client.finish_sending();
    const std::string answers = client.read_all();
    CHECK(answers.starts_with("HTTP/1.1 4"));
    CHECK(answers.find("Connection: close") != std::string::npos);
    CHECK(answers.find("smuggled") == std::string::npos);
    CHECK(answers.find("HTTP/1.1 ", 8) == std::string::npos);
}

TEST_CASE("random requests do no harm", "[net]")
{
    running_server running;
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random(seed);
    const std::vector<std::string> words{"GET ", "/v1/changes", "?table=public.orders", "&after=x", " HTTP/1.1\r\n", "Host: x\r\n", "\r\n", "\n", "\r",
                                         "Upgrade: websocket\r\n", "Connection: upgrade\r\n", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n",
                                         "5\r\nhello\r\n", "0\r\n\r\n", "%00", "\xff", ": ", "/v1/sse", "/v1/ws", std::string(3, '\0')};
    for (int round = 0; round < 300; ++round) {
        raw_client client(running.port());
        std::string text;
        for (std::size_t i = random() % 12; i > 0; --i) {
            text += words[random() % words.size()];
        }
        client.send(text);
        if (random() % 2 == 0) {
            client.finish_sending();
        }
    }
    CHECK(http_client(running.port()).get("/healthz").status == 200);
}

TEST_CASE("IPv6 is listened on", "[net][outside]")
{
    running_server::options how;
    how.settings.listen = {{{"::1", 0}}};
    running_server running(how);
    raw_client client(running.port(), true);
    client.send(get_health);
    client.read_until(R"({"status":"ok"})");
}

TEST_CASE("an address that is taken stops the start with a reason", "[net]")
{
    running_server running;
    running_server::options how;
    how.settings.listen.front().at.port = running.port();
    CHECK_THROWS_WITH(running_server(how), Catch::Contains("cannot listen on 127.0.0.1:" + std::to_string(running.port())));
}

TEST_CASE("too many connections a second from one address are turned away", "[net]")
{
    running_server::options how;
    how.settings.limits.connects_per_second_per_address = 1;
    running_server running(how);
    int served = 0;
    for (int i = 0; i < 20; ++i) {
        raw_client client(running.port());
        client.send("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        served += client.read_all().starts_with("HTTP/1.1 200") ? 1 : 0;
    }
    CHECK(served >= 4);
    CHECK(served < 15);
    raw_client late(running.port());
    const std::string refused = late.read_all(); // before anything is asked
    CHECK((refused.empty() || refused.starts_with("HTTP/1.1 429"))); // in TLS nothing can be said
    running.seen().wait_for<observe::request_refused>([](const auto& each) { return each.transport == "tcp" && each.code == "too_many_connects" && each.from == "127.0.0.1"; });
}

TEST_CASE("a server that stops lets idle connections go", "[net]")
{
    running_server running;
    raw_client client(running.port());
    client.send(get_health);
    client.read_until(R"({"status":"ok"})");
    running.server().stop(std::chrono::seconds(5));
    CHECK(client.read_all().empty());
}
