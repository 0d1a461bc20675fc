#include "support/eventually.hpp"
#include "support/free_port.hpp"
#include "support/http_client.hpp"
#include "support/paths.hpp"
#include "support/process.hpp"
#include "support/raw_client.hpp"

#include <catch2/catch.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/datagram_protocol.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <unistd.h>

using namespace rowcast::support;
using Catch::Contains;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

// A folder with a configuration and the socket of a service manager (sd_notify(3)), and what is heard there.
class manager {
public:
    explicit manager(std::uint16_t port) : manager("127.0.0.1:" + std::to_string(port)) { port_ = port; }
    explicit manager(const std::string& listen)
    {
        std::string name = std::filesystem::temp_directory_path() / "rowcast-test-service.XXXXXX";
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        folder_ = name;
        std::ofstream(configuration()) << "database: {url: 'postgresql://127.0.0.1:1/nothing'}\n"
                                          "server: {listen: '" << listen << "', admin: '127.0.0.1:0'}\n";
        heard_.open();
        heard_.bind({(folder_ / "notify").string()});
        heard_.non_blocking(true);
    }
    ~manager() { std::filesystem::remove_all(folder_); }

    std::string configuration() const { return folder_ / "bridge.yaml"; }
    std::uint16_t port() const { return port_; }

    std::vector<std::string> environment(std::vector<std::string> more = {}) const
    {
        more.push_back("NOTIFY_SOCKET=" + (folder_ / "notify").string());
        return more;
    }

    // The next message that begins so; what comes before is dropped.
    std::string hear(const std::string& beginning)
    {
        std::string all;
        std::string found;
        const bool came = eventually([&] {
            std::string text(4096, ' ');
            boost::system::error_code why;
            for (std::size_t size; found.empty() && (size = heard_.receive(asio::buffer(text), 0, why), !why);) {
                const std::string message = text.substr(0, size);
                all += message + "; ";
                found = message.rfind(beginning, 0) == 0 ? message : "";
            }
            return !found.empty();
        });
        INFO("heard: " << all);
        REQUIRE(came);
        return found;
    }

private:
    std::uint16_t port_ = 0;
    std::filesystem::path folder_;
    asio::io_context context_;
    asio::local::datagram_protocol::socket heard_{context_};
};

std::vector<std::string> serve(const manager& with)
{
    return {rowcast_binary(), "serve", "--config", with.configuration()};
}

}

TEST_CASE("a service manager is told when clients are listened to, how it stands, and when it ends")
{
    manager above{free_port()};
    process bridge{serve(above), above.environment()};
    CHECK(above.hear("READY=1") == "READY=1");
    CHECK_THAT(above.hear("STATUS="), Contains("not ready: ")); // there is no database
    bridge.signal(SIGHUP);
    CHECK_THAT(above.hear("RELOADING=1"), Contains("MONOTONIC_USEC="));
    above.hear("READY=1");
    bridge.signal(SIGTERM);
    above.hear("STOPPING=1");
    CHECK(bridge.wait() == 0);
}

TEST_CASE("a watchdog gets its signs of life")
{
    manager above{free_port()};
    process bridge{serve(above), above.environment({"WATCHDOG_USEC=200000"})};
    for (int i = 0; i < 3; ++i) {
        above.hear("WATCHDOG=1");
    }
}

TEST_CASE("a restart refuses nobody where the service manager holds the socket")
{
    asio::io_context context;
    const std::uint16_t port = free_port();
    asio::ip::tcp::acceptor held{context, {asio::ip::address_v4::loopback(), port}}; // listens
    const int socket = ::dup(held.native_handle());                                // without close-on-exec
    const manager above{port};
    const auto start = [&] {
        std::vector<std::string> command{"bash", "-c", "exec 3<&$0; export LISTEN_PID=$$; exec \"$@\"", std::to_string(socket)};
        for (const std::string& each : serve(above)) {
            command.push_back(each);
        }
        return std::make_unique<process>(command, above.environment({"LISTEN_FDS=1"}));
    };
    const auto ask = [&] { return http_client(port).get("/healthz").status; };

    auto bridge = start();
    CHECK(ask() == 200);
    bridge->signal(SIGTERM);
    CHECK(bridge->wait() == 0);
    auto waits = std::async(std::launch::async, ask); // nobody is there
    bridge = start();
    CHECK(waits.get() == 200);
    ::close(socket);
}

TEST_CASE("a Unix socket that the service manager holds is taken, and its file is left to it")
{
    asio::io_context context;
    std::string folder = std::filesystem::temp_directory_path() / "rowcast-test-socket.XXXXXX";
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    const std::string path = folder + "/bridge.sock";
    asio::local::stream_protocol::acceptor held{context, {path}}; // listens
    const int socket = ::dup(held.native_handle());
    const manager above{"unix:" + path};
    std::vector<std::string> command{"bash", "-c", "exec 3<&$0; export LISTEN_PID=$$; exec \"$@\"", std::to_string(socket)};
    for (const std::string& each : serve(above)) {
        command.push_back(each);
    }
    for (int restarts = 0; restarts < 2; ++restarts) {
        process bridge{command, above.environment({"LISTEN_FDS=1"})};
        raw_client client{path}; // may wait for the bridge
        client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
        client.read_until("ok");
        bridge.signal(SIGTERM);
        CHECK(bridge.wait() == 0);
        CHECK(std::filesystem::exists(path));
    }
    ::close(socket);
    std::filesystem::remove_all(folder);
}

TEST_CASE("a socket of another address is not taken, and the error says that there is one")
{
    asio::io_context context;
    asio::ip::tcp::acceptor other{context, {asio::ip::address_v4::loopback(), free_port()}};
    const asio::ip::tcp::acceptor taken{context, {asio::ip::address_v4::loopback(), free_port()}};
    const int socket = ::dup(other.native_handle());
    const manager above{taken.local_endpoint().port()};
    std::vector<std::string> command{"bash", "-c", "exec 3<&$0; export LISTEN_PID=$$; exec \"$@\"", std::to_string(socket)};
    for (const std::string& each : serve(above)) {
        command.push_back(each);
    }
    process bridge{command, above.environment({"LISTEN_FDS=1"})};
    CHECK_THAT(bridge.error_rest(), Contains("cannot listen on 127.0.0.1") && Contains("systemd passes are of other addresses"));
    CHECK(bridge.wait() == 1);
    ::close(socket);
}
