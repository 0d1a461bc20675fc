#include "auth/key_source.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/authenticator.hpp"
#include "auth/issuer.hpp"
#include "support/result.hpp"
#include "support/eventually.hpp"

using namespace rowcast;
using namespace std::chrono_literals;
using support::eventually;
using test::issuer;
using test::key_set_of;

namespace {

constexpr std::int64_t now = 1'763'720'000;

// An issuer's web server: one answer a connection.
class web_server {
public:
    web_server()
        : socket_(::socket(AF_INET, SOCK_STREAM, 0))
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) == 0);
        REQUIRE(::listen(socket_, 16) == 0);
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { run(); });
    }
    ~web_server()
    {
        ::shutdown(socket_, SHUT_RDWR);
        thread_.join();
        ::close(socket_);
    }

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/keys"; }
    void answer(std::string body, std::string status = "200 OK", std::string headers = "")
    {
        const std::lock_guard lock(mutex_);
        answer_ = "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body;
    }
    int asked() const
    {
        const std::lock_guard lock(mutex_);
        return asked_;
    }

private:
    void run()
    {
        for (;;) {
            const int client = ::accept(socket_, nullptr, nullptr);
            if (client < 0) {
                return;
            }
            char request[4096];
            [[maybe_unused]] const auto read = ::read(client, request, sizeof request);
            std::string text;
            {
                const std::lock_guard lock(mutex_);
                ++asked_;
                text = answer_;
            }
            std::size_t sent = 0;
            while (sent < text.size()) {
                const auto some = ::send(client, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
                if (some <= 0) {
                    break;
                }
                sent += static_cast<std::size_t>(some);
            }
            ::close(client);
        }
    }

    int socket_;
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    std::string answer_;
    int asked_ = 0;
    std::thread thread_;
};

auth::key_source::pauses quick()
{
    auth::key_source::pauses waiting;
    waiting.first_retry = waiting.last_retry = 5ms;
    waiting.file = 5ms;
    return waiting;
}

std::size_t count(const auth::key_source& source)
{
    const auto keys = source.now();
    return keys ? keys->size() : 0;
}

std::string path_for(const std::string& name)
{
    return std::filesystem::temp_directory_path() / ("rowcast-" + std::to_string(::getpid()) + "-" + name);
}

} // namespace

TEST_CASE("a key set behind a URL is read, and tried again until it can be", "[auth]")
{
    web_server site;
    site.answer("gone fishing", "503 Service Unavailable");
    std::mutex mutex;
    std::vector<std::string> problems;
    auth::key_source source(
        site.url() + "?secret=1",
        [&](const observe::observation& seen) {
            if (const auto* failed = std::get_if<observe::keys_unreadable>(&seen)) {
                const std::lock_guard lock(mutex);
                problems.push_back(failed->where + ": " + failed->reason);
            }
        },
        quick());
    REQUIRE(eventually([&] { return site.asked() >= 3; }));
    CHECK(source.now() == nullptr);
    {
        const std::lock_guard lock(mutex);
        CHECK(problems.at(0) == site.url() + ": the answer's status is 503, not 200");
    }
    site.answer(key_set_of({issuer("ES256", "a").public_jwk()}));
    REQUIRE(eventually([&] { return count(source) == 1; }));
    // Fresh for minutes now.
    const int asked = site.asked();
    CHECK(source.demand());
    CHECK_FALSE(source.demand()); // once, whoever asks
    CHECK(eventually([&] { return site.asked() == asked + 1; }));
}

TEST_CASE("keys that cannot be read any more stay as they were", "[auth]")
{
    web_server site;
    site.answer(key_set_of({issuer("ES256", "a").public_jwk()}), "200 OK", "Cache-Control: public, max-age=0\r\n");
    auto waiting = quick();
    waiting.least_fresh = 5ms;
    auth::key_source source(site.url(), {}, waiting);
    REQUIRE(eventually([&] { return count(source) == 1; }));
    for (const std::string& bad : {std::string("<html>"), std::string(R"({"keys":[]})"), std::string(2'000'000, ' ')}) {
        site.answer(bad);
        const int asked = site.asked();
        REQUIRE(eventually([&] { return site.asked() >= asked + 3; }));
        CHECK(count(source) == 1);
    }
    const issuer other("ES256", "b");
    site.answer(key_set_of({other.public_jwk(), issuer("EdDSA", "c").public_jwk()}));
    CHECK(eventually([&] { return count(source) == 2; }));
}

TEST_CASE("a key set in a file is read again when it has changed", "[auth]")
{
    const std::string path = path_for("keys.json");
    {
        auth::key_source source(path, {}, quick());
        const auto write = [&](const std::string& text) {
            std::ofstream(path + ".new") << text;
            std::filesystem::rename(path + ".new", path);
        };
        write(key_set_of({issuer("ES256", "a").public_jwk()}));
        REQUIRE(eventually([&] { return count(source) == 1; }));
        write(key_set_of({issuer("ES256", "a").public_jwk(), issuer("ES256", "b").public_jwk()}));
        REQUIRE(eventually([&] { return count(source) == 2; }));
    }
    std::filesystem::remove(path);
}

TEST_CASE("what is wrong with key files is told where the key stands, and all of it", "[auth]")
{
    const std::string good = path_for("good.json");
    const std::string empty = path_for("empty.json");
    std::ofstream(good) << key_set_of({issuer("ES256", "a").public_jwk()});
    std::ofstream(empty) << key_set_of({});
    config::auth settings;
    for (const std::string& each : {good, empty, path_for("none.json"), std::string("https://id.example/keys")}) {
        settings.jwt.emplace_back().jwks = each;
    }
    settings.jwt.emplace_back().algorithm = "RS256";
    settings.jwt.back().public_key = good;
    settings.jwt.back().at = {7, 9};
    const auto found = auth::problems(settings);
    REQUIRE(found.size() == 3);
    CHECK(found[0].message == "auth.jwt: " + empty + ": has no key that tokens could be verified with");
    CHECK(found[1].message.find("cannot be opened") != std::string::npos);
    CHECK(found[2].at == core::mark{7, 9});
    std::filesystem::remove(good);
    std::filesystem::remove(empty);
}

TEST_CASE("a source that hangs is let go of at once", "[auth]")
{
    // Accepts, and says nothing.
    const int silent = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(silent, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(silent, 4) == 0);
    ::getsockname(silent, reinterpret_cast<sockaddr*>(&address), &size);
    {
        auth::key_source source("http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/", {}, quick());
        pollfd asked{silent, POLLIN, 0};
        REQUIRE(::poll(&asked, 1, 10'000) == 1);
    } // here the test would hang for the fetch's ten seconds, or for ever
    ::close(silent);
}

TEST_CASE("an issuer that changes its keys is followed by its tokens", "[auth]")
{
    const issuer first("RS256", "2025");
    const issuer second("RS256", "2026");
    web_server site;
    config::jwt_key trusted;
    trusted.jwks = site.url();
    trusted.issuer = "https://id.example";
    site.answer("", "503 Service Unavailable");
    const auth::authenticator by({{trusted}, "roles", true, 30s}, {});
    const std::string claims = R"({"iss":"https://id.example","sub":"ann"})";

    // Not here yet: not the client's fault.
    CHECK(by.verify(first.token(claims), now).error().code == core::error_code::unavailable);
    site.answer(key_set_of({first.public_jwk()}));
    REQUIRE(eventually([&] { return by.verify(first.token(claims), now).has_value(); }));

    // The first token of a new key has it fetched; and nobody else can make it ask again and again.
    site.answer(key_set_of({first.public_jwk(), second.public_jwk()}));
    CHECK(by.verify(second.token(claims), now).error().code == core::error_code::unavailable);
    REQUIRE(eventually([&] { return by.verify(second.token(claims), now).has_value(); }));
    CHECK(by.verify(first.token(claims), now));
    const int asked = site.asked();
    for (int i = 0; i < 20; ++i) {
        const issuer stranger("ES256", "made up " + std::to_string(i));
        CHECK(by.verify(stranger.token(claims), now).error().code == core::error_code::token_invalid);
    }
    CHECK(site.asked() == asked);
    CHECK(by.verify(second.token(R"({"iss":"https://other.example"})"), now).error().code == core::error_code::token_invalid);
    // Another key under a known name.
    CHECK(by.verify(issuer("RS256", "2025").token(claims), now).error().code == core::error_code::token_invalid);
}
