#include <catch2/catch.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <latch>
#include <string>
#include <system_error>
#include <vector>

#include "net/local_socket.hpp"
#include "running_server.hpp"
#include "support/http_client.hpp"
#include "support/raw_client.hpp"
#include "support/websocket_client.hpp"

using namespace rowcast;
using net::running_server;
using support::http_client;
using support::raw_client;
using support::websocket_client;
using namespace std::string_literals;

namespace {

const std::string get_health = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string healthy = R"({"status":"ok"})";

class folder {
public:
    folder()
    {
        path_ = std::filesystem::temp_directory_path() / "rowcast-test.XXXXXX";
        REQUIRE(::mkdtemp(path_.data()) != nullptr);
    }
    ~folder() { std::filesystem::remove_all(path_); }
    std::string operator/(const char* name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

running_server::options at(std::vector<config::listener> all)
{
    running_server::options how;
    how.settings.listen = std::move(all);
    return how;
}

running_server::options behind_proxies(bool proxy_protocol)
{
    auto how = at({{{"127.0.0.1", 0}, 0660, true, proxy_protocol}});
    how.settings.proxies = {{*core::network::parse("127.0.0.1"), *core::network::parse("10.0.0.0/8")}, false};
    return how;
}

// Of the event streams that were opened, the address of the last one.
std::string opened_from(running_server& running, std::size_t since)
{
    return running.seen().wait_for<observe::session_opened>([](const auto&) { return true; }, since).from;
}

std::string stream_from(running_server& running, const std::string& before, const std::string& headers = "")
{
    const std::size_t since = running.seen().size();
    raw_client client(running.port());
    client.send(before + "GET /v1/sse?table=public.orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ann\r\n" + headers + "\r\n");
    client.read_until("event: cursor");
    return opened_from(running, since);
}

// A Unix socket's file, as a crash leaves it.
void leave_behind(const std::string& path)
{
    const int stale = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    path.copy(where.sun_path, sizeof where.sun_path - 1);
    REQUIRE(::bind(stale, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0);
    ::close(stale);
}

} // namespace

TEST_CASE("clients come in at every address that is listened on", "[net][outside]")
{
    const folder here;
    running_server running(at({{{"127.0.0.1", 0}}, {{"::1", 0}}, {{here / "bridge.sock"}}}));
    CHECK(http_client(running.port()).get("/healthz").status == 200);
    raw_client v6(running.server().port(1), true);
    v6.send(get_health);
    v6.read_until(healthy);
    raw_client local(here / "bridge.sock");
    local.send(get_health);
    local.read_until(healthy);
    CHECK(running.seen().all<observe::listening>().size() == 4);
}

TEST_CASE("over a Unix socket every transport says what it says over TCP", "[net][outside]")
{
    const folder here;
    running_server running(at({{{here / "bridge.sock"}}}));
    raw_client stream(here / "bridge.sock");
    stream.send("GET /v1/sse?table=public.orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ann\r\n\r\n");
    stream.read_until("event: cursor");
    raw_client socket(here / "bridge.sock");
    socket.send("GET /v1/ws?access_token=ann HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    socket.read_until(R"("type":"authenticated")");
    raw_client poll(here / "bridge.sock");
    poll.send("GET /v1/changes?table=public.orders&wait=60&after=" + running.cursor_now() +
              " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ann\r\n\r\n");
    running.commit({running_server::order(core::operation::insert, 1, "ann", "open")});
    poll.read_until(R"("status":"open")");
    stream.read_until(R"("status":"open")");
    CHECK(running.seen().wait_for<observe::session_opened>().from == "unix");
}

TEST_CASE("a Unix socket has the mode that is configured, and is gone with its server", "[net][outside]")
{
    const folder here;
    const std::string path = here / "bridge.sock";
    {
        auto how = at({{{path}, 0600}});
        how.settings.admin = config::listener{{here / "admin.sock"}};
        running_server running(how);
        struct stat file {};
        REQUIRE(::stat(path.c_str(), &file) == 0);
        CHECK((file.st_mode & 0777) == 0600);
        CHECK(running.admin_port() == 0);
        raw_client operators(here / "admin.sock");
        operators.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        operators.read_until("rowcast_up 1");
    }
    CHECK_FALSE(std::filesystem::exists(path));
    CHECK_FALSE(std::filesystem::exists(here / "admin.sock"));
}

TEST_CASE("a Unix socket that nobody listens at any more is replaced, one that somebody does is not", "[net][outside]")
{
    const folder here;
    const std::string path = here / "bridge.sock";
    leave_behind(path);
    running_server running(at({{{path}}}));
    CHECK_THROWS_WITH(running_server(at({{{path}}})), Catch::Contains("cannot listen on unix:" + path + " (server.listen)") && Catch::Contains("another path"));
    raw_client client(path);
    client.send(get_health);
    client.read_until(healthy);
}

TEST_CASE("of those who begin to listen on a Unix socket at the same moment one does, and is whom clients meet", "[net][outside]")
{
    const folder here;
    const std::string path = here / "bridge.sock";
    for (int round = 0; round < 100; ++round) {
        leave_behind(path);
        constexpr int many = 4;
        std::latch start(many);
        std::vector<std::future<std::pair<int, net::local_socket>>> all;
        for (int i = 0; i < many; ++i) {
            all.push_back(std::async(std::launch::async, [&] {
                start.arrive_and_wait();
                return net::local_socket::listen(path, 0600, 10);
            }));
        }
        std::vector<std::pair<int, net::local_socket>> listening;
        for (auto& each : all) {
            try {
                listening.push_back(each.get());
            } catch (const std::system_error& why) {
                CHECK(why.code() == std::errc::address_in_use);
            }
        }
        REQUIRE(listening.size() == 1);
        const raw_client client(path);
        const int met = ::accept(listening[0].first, nullptr, nullptr);
        CHECK(met >= 0);
        ::close(met);
        ::close(listening[0].first);
        listening.clear();
        CHECK(std::filesystem::is_empty(std::filesystem::path(path).parent_path()));
    }
}

TEST_CASE("what is no socket is left alone, and a folder that is missing is told", "[net][outside]")
{
    const folder here;
    std::ofstream(here / "file") << "precious";
    CHECK_THROWS_WITH(running_server(at({{{here / "file"}}})), Catch::Contains("not a socket"));
    CHECK(std::filesystem::file_size(here / "file") == 8);
    CHECK_THROWS_WITH(running_server(at({{{here / "nowhere/bridge.sock"}}})), Catch::Contains("the folder must be there"));
}

TEST_CASE("a server that was replaced leaves its successor's Unix socket alone", "[net][outside]")
{
    const folder here;
    const std::string path = here / "bridge.sock";
    auto first = std::make_unique<running_server>(at({{{path}}}));
    ::unlink(path.c_str());
    running_server second(at({{{path}}}));
    first.reset();
    raw_client client(path);
    client.send(get_health);
    client.read_until(healthy);
}

TEST_CASE("the address of a client is the one that trusted proxies give, and nobody else's word", "[net][outside]")
{
    {
        running_server running(behind_proxies(false));
        CHECK(stream_from(running, "", "X-Forwarded-For: 6.6.6.6, 203.0.113.7, 10.0.0.2\r\n") == "203.0.113.7");
        CHECK(stream_from(running, "", "X-Forwarded-For: 6.6.6.6\r\nx-forwarded-for: 203.0.113.8\r\n") == "203.0.113.8");
        CHECK(stream_from(running, "", "X-Forwarded-For: garbage\r\n") == "127.0.0.1");
        CHECK(stream_from(running, "") == "127.0.0.1");
    }
    running_server alone;
    CHECK(stream_from(alone, "", "X-Forwarded-For: 203.0.113.7\r\nForwarded: for=203.0.113.7\r\n") == "127.0.0.1");
}

TEST_CASE("the PROXY protocol names the client of a trusted proxy", "[net][outside]")
{
    running_server running(behind_proxies(true));
    CHECK(stream_from(running, "PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n") == "203.0.113.7");
    CHECK(stream_from(running, "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0C\xCB\0\x71\x08\x0A\0\0\x01\x12\x67\x01\xBB"s) == "203.0.113.8");
    CHECK(stream_from(running, "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x1A\xCB\0\x71\x0A\x0A\0\0\x01\x12\x67\x01\xBB\x04\0\x03GET\x02\0\x05shop."s) == "203.0.113.10"); // with TLVs
    CHECK(stream_from(running, "\r\n\r\n\0\r\nQUIT\n\x20\x00\0\0"s) == "127.0.0.1"); // its own health check
    CHECK(stream_from(running, "PROXY TCP4 10.0.0.9 10.0.0.1 4711 443\r\n", "X-Forwarded-For: 203.0.113.9\r\n") == "203.0.113.9");
    CHECK(stream_from(running, "PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n", "X-Forwarded-For: 6.6.6.6\r\n") == "203.0.113.7");

    raw_client slow(running.port());
    for (const char c : "PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n" + get_health) {
        slow.send({&c, 1});
    }
    slow.read_until(healthy);
}

TEST_CASE("who does not begin with the PROXY protocol where it is spoken is let go and counted, and so is who may not speak it", "[net][outside]")
{
    {
        running_server running(behind_proxies(true));
        for (const std::string& bad : {get_health, "PROXY TCP4 nobody 10.0.0.1 1 2\r\n" + get_health, "PROXY TCP4 203"s}) {
            const std::size_t since = running.seen().size();
            raw_client client(running.port());
            client.send(bad);
            client.finish_sending();
            CHECK(client.read_all().empty());
            running.seen().wait_for<observe::request_refused>([](const auto& each) { return each.transport == "tcp" && each.code == "malformed"; }, since);
        }
    }
    auto how = behind_proxies(true);
    how.settings.proxies.networks.erase(how.settings.proxies.networks.begin());
    running_server running(how);
    raw_client client(running.port());
    client.send("PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n" + get_health);
    CHECK(client.read_all().empty());
    running.seen().wait_for<observe::request_refused>([](const auto& each) { return each.code == "forbidden"; });
}

TEST_CASE("connections and sessions are limited by the client's address, not by the proxy's", "[net][outside]")
{
    auto how = behind_proxies(false);
    how.settings.limits.connects_per_second_per_address = 1;
    running_server running(how);
    const auto ask = [&](const std::string& client) {
        raw_client connection(running.port());
        connection.send("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Forwarded-For: " + client + "\r\n\r\n");
        return connection.read_all();
    };
    std::string last;
    for (int i = 0; i < 20 && !last.starts_with("HTTP/1.1 429"); ++i) {
        last = ask("203.0.113.7");
    }
    CHECK(last.starts_with("HTTP/1.1 429"));
    CHECK(last.find("Retry-After: ") != std::string::npos);
    CHECK(last.find(R"("code":"too_many_connects")") != std::string::npos);
    CHECK(ask("203.0.113.8").starts_with("HTTP/1.1 200"));
    // One connection of the proxy may bring many, and one client is counted once for as long as it is theirs.
    raw_client kept(running.port());
    for (int i = 0; i < 20; ++i) {
        kept.send("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n");
        CHECK(kept.read_until(healthy).starts_with("HTTP/1.1 200"));
    }
}
