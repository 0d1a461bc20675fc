#include "attacker.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "support/websocket_frame.hpp"

namespace rowcast::bench {
namespace {

using support::client_frame;

constexpr std::size_t most_held = 200;
constexpr std::string_view upgrade = "GET /v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                     "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n";

// A server that closes early, or does not read, is what an attacker must expect.
void send(int to, std::string_view bytes)
{
    while (to >= 0 && !bytes.empty()) {
        const auto size = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (size <= 0) {
            return;
        }
        bytes.remove_prefix(static_cast<std::size_t>(size));
    }
}

void receive(int from)
{
    std::array<char, 4096> bytes;
    if (from >= 0) {
        [[maybe_unused]] const auto size = ::recv(from, bytes.data(), bytes.size(), 0);
    }
}

void end(int connection, bool reset = false)
{
    if (connection >= 0) {
        const linger at_once{1, 0};
        if (reset) {
            ::setsockopt(connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        }
        ::close(connection);
    }
}

std::string get(std::string_view target, std::string_view headers = "")
{
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n" + std::string(headers) + "\r\n";
}

} // namespace

attacker::attacker(std::uint16_t port, int number, int attacks_per_second)
    : port_(port)
    , address_(INADDR_LOOPBACK + 1 + static_cast<std::uint32_t>(number))
    , attacks_per_second_(attacks_per_second)
    , random_(static_cast<unsigned>(number) + 1)
{
    thread_ = std::thread([this] { run(); });
}

attacker::~attacker()
{
    stopping_ = true;
    thread_.join();
    for (const int each : held_) {
        end(each);
    }
}

void attacker::run()
{
    const auto pause = std::chrono::microseconds(1'000'000 / attacks_per_second_);
    for (auto next = std::chrono::steady_clock::now(); !stopping_; next = std::max(next + pause, std::chrono::steady_clock::now())) {
        attack();
        ++attacks_;
        drip();
        std::this_thread::sleep_until(next + pause);
    }
}

void attacker::attack()
{
    switch (dice(9)) {
    case 0: return send_malformed_request();
    case 1: return send_bad_token();
    case 2: return send_bad_query();
    case 3: return send_malformed_frame();
    case 4: return flood();
    case 5: return vanish();
    case 6: return hold("");                       // says nothing
    case 7: return hold("POST /v1/changes HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n{"); // says it slowly
    case 8:                                         // asks for everything and reads nothing
        return dice(2) == 0 ? hold(std::string(upgrade) + client_frame(0x81, R"({"type":"subscribe","id":"s","table":"public.t","snapshot":true})"))
                            : hold(get("/v1/sse?table=public.t"));
    }
}

void attacker::send_malformed_request()
{
    const std::array<std::string, 7> all = {
        noise(1 + dice(2000)),
        "GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(20'000, 'a') + "\r\n\r\n",
        "GET /" + std::string(10'000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /v1/changes HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        "GET / HTTP/1.1\nHost : x\r\n folded\r\n\r\n",
        "\x16\x03\x01\x02" + noise(500),
    };
    const int connection = connect();
    send(connection, all[dice(all.size())]);
    receive(connection);
    end(connection);
}

void attacker::send_bad_token()
{
    const std::array<std::string, 4> all = {
        noise(100),
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiI3Iiwicm9sZXMiOlsiYWRtaW4iXX0.",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0." + std::string(43, 'A'),
        std::string(8'000, 'A') + "." + std::string(5'000, 'B') + ".C",
    };
    std::string token = all[dice(all.size())];
    std::erase_if(token, [](char each) { return each == '\r' || each == '\n'; });
    const int connection = connect();
    send(connection, get("/v1/changes?table=public.t", "Authorization: Bearer " + token + "\r\n"));
    receive(connection);
    end(connection);
}

void attacker::send_bad_query()
{
    std::string deep;
    for (int i = 0; i < 200; ++i) {
        deep += "not.and(";
    }
    const std::array<std::string, 6> all = {
        "/v1/changes?table=public.t&after=" + std::string(3'000, 'x'),
        "/v1/changes?table=public.t&and=(" + deep,
        "/v1/changes?table=" + std::string(3'000, '%'),
        "/v1/rows?table=public.t&v=like.%25" + std::string(1'000, '%'),
        "/v1/changes?table=pg_catalog.pg_authid&limit=99999999999999999999",
        "/v1/sse?table=public.t&table=public.t&id=in.(" + std::string(3'000, ',') + ")",
    };
    const int connection = connect();
    send(connection, get(all[dice(all.size())]));
    receive(connection);
    end(connection);
}

void attacker::send_malformed_frame()
{
    const std::array<std::string, 9> all = {
        std::string("\x81\x05hello", 7),          // not masked
        client_frame(0xF1, "reserved bits"),
        client_frame(0x83, "reserved opcode"),
        client_frame(0x89, std::string(200, 'p')),       // a long ping
        client_frame(0x80, "continues nothing"),
        client_frame(0x81, "\xC0\xAF"),                  // not UTF-8
        client_frame(0x88, "\x03"),                      // half a close code
        std::string("\x81\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0\0\0", 14), // a message of 2^63 bytes
        client_frame(0x81, R"({"type":"subscribe","id":"s","table":"public.t","where":)" + std::string(5'000, '[') + "}"),
    };
    const int connection = open_websocket();
    send(connection, all[dice(all.size())]);
    receive(connection);
    end(connection);
}

void attacker::flood()
{
    std::string many;
    for (int i = 0; i < 300; ++i) {
        switch (dice(3)) {
        case 0: many += client_frame(0x81, R"({"type":"ping","id":"p"})"); break;
        case 1: many += client_frame(0x89, "ping"); break;
        default:
            many += client_frame(0x81, R"({"type":"subscribe","id":")" + std::to_string(dice(1'000'000)) + R"(","table":"public.t","where":{"id":{"gt":)" +
                                    std::to_string(dice(1'000'000)) + "}}}");
        }
    }
    const int connection = open_websocket();
    send(connection, many);
    receive(connection);
    end(connection);
}

void attacker::vanish()
{
    const int connection = open_websocket();
    send(connection, client_frame(0x81, R"({"type":"subscribe","id":"s","table":"public.t"})"));
    end(connection, true);
}

void attacker::hold(std::string_view bytes)
{
    if (held_.size() >= most_held) {
        end(held_.front());
        held_.pop_front();
    }
    if (const int connection = connect(); connection >= 0) {
        send(connection, bytes);
        held_.push_back(connection);
    }
}

void attacker::drip()
{
    if (!held_.empty()) {
        const int to = held_[dice(held_.size())];
        [[maybe_unused]] const auto size = ::send(to, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

int attacker::connect() const
{
    const int connection = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl(address_);
    sockaddr_in to = from;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(port_);
    const timeval patience{0, 20'000}; // on with the next attack
    ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (::bind(connection, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0 ||
        ::connect(connection, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
        ::close(connection);
        return -1;
    }
    return connection;
}

int attacker::open_websocket() const
{
    const int connection = connect();
    send(connection, upgrade);
    receive(connection);
    return connection;
}

std::string attacker::noise(std::size_t size)
{
    std::string out(size, '\0');
    std::generate(out.begin(), out.end(), [this] { return static_cast<char>(random_()); });
    return out;
}

} // namespace rowcast::bench
