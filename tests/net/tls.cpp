#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include <chrono>

#include "net/tls.hpp"
#include "running_server.hpp"
#include "support/certificate.hpp"
#include "support/http_client.hpp"
#include "support/raw_client.hpp"
#include "support/tls_tunnel.hpp"
#include "support/websocket_client.hpp"

using namespace rowcast;
using net::running_server;
using nlohmann::json;
using support::certificate;
using support::http_client;
using support::tls_tunnel;
using support::websocket_client;

namespace {

constexpr auto insert = core::operation::insert;
constexpr char get_health[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

running_server::options with(const certificate& one)
{
    running_server::options how;
    how.settings.certificate = config::tls{one.file(), one.key()};
    return how;
}

// What a server says that is to use these files.
std::string refusal(const std::string& file, const std::string& key)
{
    try {
        net::make_tls_context(config::tls{file, key});
        return "";
    } catch (const std::invalid_argument& why) {
        return why.what();
    }
}

} // namespace

TEST_CASE("inside TLS every transport says what it says outside", "[net][tls]")
{
    const certificate one("rowcast.test");
    running_server running(with(one));
    const tls_tunnel tls(running.port());
    const std::string before = running.cursor_now();
    http_client polling(tls.port());
    http_client streaming(tls.port());
    CHECK(streaming.open_stream("/v1/sse?table=public.orders&access_token=ann").status == 200);
    CHECK(streaming.next_event()->name == "cursor");
    websocket_client socket(tls.port(), "/v1/ws?access_token=ann");
    socket.send({{"type", "subscribe"}, {"id", "o"}, {"table", "public.orders"}});
    socket.await("subscribed");

    running.commit({running_server::order(insert, 1, "ann", "open")});
    CHECK(socket.await("changes").at("events")[0].at("key").at("id") == 1);
    CHECK(json::parse(streaming.next_event()->data).at("key").at("id") == 1);
    const auto polled = polling.get("/v1/changes?table=public.orders&access_token=ann&after=" + before);
    CHECK(json::parse(polled.body).at("events")[0].at("key").at("id") == 1);
    CHECK(polling.get("/healthz").status == 200); // on the same connection
    CHECK(tls.server_name() == "rowcast.test");
    CHECK(tls.protocol() == "TLSv1.3");
}

TEST_CASE("TLS 1.2 and 1.3 are spoken, and nothing older", "[net][tls]")
{
    const certificate one("rowcast.test");
    running_server running(with(one));
    const auto spoken = [&](int version) {
        const tls_tunnel tls(running.port(), version);
        support::raw_client client(tls.port());
        client.send(get_health);
        client.read_until(R"({"status":"ok"})");
        return tls.protocol();
    };
    CHECK(spoken(0x0303) == "TLSv1.2");
    CHECK(spoken(0x0304) == "TLSv1.3");
    const tls_tunnel old(running.port(), 0x0302);
    support::raw_client client(old.port());
    CHECK(client.read_all().empty());
    CHECK(old.protocol().find("alert protocol version") != std::string::npos);
}

TEST_CASE("a certificate that is read again is what new connections get, and open ones go on", "[net][tls]")
{
    const certificate one("first.test");
    const certificate two("second.test");
    auto how = with(one);
    running_server running(how);
    const tls_tunnel tls(running.port());
    websocket_client socket(tls.port(), "/v1/ws?access_token=ann");
    CHECK(tls.server_name() == "first.test");

    one.become(two);
    running.server().adopt(how.settings, net::make_tls_context(how.settings.certificate));
    CHECK(support::eventually([&] {
        http_client(tls.port()).get("/healthz");
        return tls.server_name() == "second.test";
    }));
    socket.send({{"type", "ping"}, {"id", 1}});
    CHECK(socket.await("pong").at("id") == 1);
}

TEST_CASE("who speaks no TLS where TLS is spoken is told so, and who says nothing is let go", "[net][tls]")
{
    const certificate one("rowcast.test");
    running_server running(with(one));
    support::raw_client plain(running.port());
    plain.send(get_health);
    const std::string answer = plain.read_all();
    CHECK(answer.starts_with("HTTP/1.1 400 "));
    CHECK(answer.find("this port speaks TLS") != std::string::npos);

    support::raw_client garbage(running.port());
    garbage.send(std::string("\x16\x03\x01\x00\x05hello", 10));
    const std::string alert = garbage.read_all();
    CHECK((alert.empty() || alert[0] == '\x15'));

    auto how = with(one);
    how.times.tls_handshake = std::chrono::milliseconds(100);
    running_server impatient(how);
    support::raw_client silent(impatient.port());
    CHECK(silent.read_all().empty());
    CHECK(http_client(running.admin_port()).get("/healthz").status == 200); // never in TLS
}

TEST_CASE("a server that stops does not wait for handshakes that have not begun", "[net][tls]")
{
    const certificate one("rowcast.test");
    running_server running(with(one));
    support::raw_client silent(running.port());
    const tls_tunnel tls(running.port());
    http_client(tls.port()).get("/healthz"); // came later, so the other one is waited for by now
    const auto begun = std::chrono::steady_clock::now();
    running.server().stop(std::chrono::seconds(60));
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(8)); // a handshake has ten
    CHECK(silent.read_all().empty());
}

TEST_CASE("a connection that the server ends is ended as TLS has it, so that nobody takes the end for a cut", "[net][tls]")
{
    const certificate one("rowcast.test");
    running_server running(with(one));
    const tls_tunnel tls(running.port());
    support::raw_client client(tls.port());
    client.send("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    CHECK(client.read_all().find(R"({"status":"ok"})") != std::string::npos);
    websocket_client socket(tls.port(), "/v1/ws?access_token=ann");
    socket.close();
    CHECK(support::eventually([&] { return tls.ended() >= 1; }));
    CHECK(tls.cut_off() == 0);
}

TEST_CASE("a certificate that cannot be used is refused with the file and the reason", "[net][tls]")
{
    const certificate one("one.test");
    const certificate two("two.test");
    CHECK(refusal(one.file(), one.key()).empty());
    CHECK_THAT(refusal("/nowhere/at/all.pem", one.key()),
               Catch::Contains("server.tls.certificate: cannot read /nowhere/at/all.pem: No such file or directory"));
    CHECK_THAT(refusal(one.file(), "/nowhere/at/all.pem"), Catch::Contains("server.tls.key: cannot read /nowhere/at/all.pem"));
    CHECK_THAT(refusal(one.key(), one.key()), Catch::Contains("is not a PEM file with a certificate"));
    CHECK_THAT(refusal(one.file(), two.key()), Catch::Contains("is not the PEM file of the private key of " + one.file()));
    running_server::options how;
    how.settings.certificate = config::tls{one.file(), two.key()};
    CHECK_THROWS_WITH(running_server(how), Catch::Contains("server.tls.key"));
}
