#include "support/crowd.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <system_error>

#include "support/websocket_frame.hpp"

namespace rowcast::support {
namespace {

constexpr std::size_t most_connecting = 1000;

std::string_view member(std::string_view message, std::string_view name)
{
    const std::string start = "\"" + std::string(name) + "\":\"";
    const auto at = message.find(start);
    if (at == std::string_view::npos) {
        return {};
    }
    const auto begin = at + start.size();
    return message.substr(begin, message.find('"', begin) - begin);
}

std::uint64_t number_member(std::string_view message, std::string_view name)
{
    const std::string start = "\"" + std::string(name) + "\":";
    const auto at = message.find(start);
    std::uint64_t number = 0;
    if (at != std::string_view::npos) {
        std::from_chars(message.data() + at + start.size(), message.data() + message.size(), number);
    }
    return number;
}

} // namespace

crowd::crowd(std::uint16_t port) : port_(port), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

crowd::~crowd()
{
    for (client& each : clients) {
        disconnect(each);
    }
    ::close(epoll_);
}

void crowd::connect()
{
    next_ = 0;
}

void crowd::connect(client& one)
{
    one.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (one.socket < 0) {
        throw std::system_error(errno, std::generic_category(), "socket of a client");
    }
    const int yes = 1;
    ::setsockopt(one.socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (one.receive_buffer > 0) {
        ::setsockopt(one.socket, SOL_SOCKET, SO_RCVBUF, &one.receive_buffer, sizeof one.receive_buffer);
    }
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port_);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(one.socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 && errno != EINPROGRESS) {
        throw std::system_error(errno, std::generic_category(), "connecting a client");
    }
    one.connected = true;
    one.upgraded = one.refused = one.more = false;
    one.in.clear();
    ++connecting_;
    epoll_event wanted{};
    wanted.events = EPOLLOUT;
    wanted.data.u64 = static_cast<std::uint64_t>(&one - clients.data());
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, one.socket, &wanted);
}

void crowd::disconnect(client& one)
{
    if (one.socket >= 0) {
        ::close(one.socket);
        connecting_ -= one.upgraded ? 0 : 1;
    }
    one.socket = -1;
    one.connected = false;
}

void crowd::let_read(client& one)
{
    one.reads = true;
    watch(static_cast<std::size_t>(&one - clients.data()), true);
}

void crowd::watch(std::size_t number, bool reading)
{
    epoll_event wanted{};
    wanted.events = reading ? EPOLLIN : 0u;
    wanted.data.u64 = number;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, clients[number].socket, &wanted);
}

bool crowd::run(const std::function<bool()>& holds, std::chrono::milliseconds within)
{
    const auto until = std::chrono::steady_clock::now() + within;
    std::array<epoll_event, 512> events;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > until) {
            return false;
        }
        for (; next_ < clients.size() && connecting_ < most_connecting; ++next_) {
            if (!clients[next_].connected && !clients[next_].refused) {
                connect(clients[next_]);
            }
        }
        for (client& each : clients) {
            if (each.comes_back && !each.connected && *each.comes_back <= std::chrono::steady_clock::now()) {
                each.comes_back.reset();
                connect(each);
            }
        }
        const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 20);
        for (int i = 0; i < count; ++i) {
            event(events[static_cast<std::size_t>(i)].data.u64, events[static_cast<std::size_t>(i)].events);
        }
    }
    return true;
}

bool crowd::all(const std::function<bool(const client&)>& holds) const
{
    return std::all_of(clients.begin(), clients.end(), holds);
}

void crowd::event(std::size_t number, std::uint32_t what)
{
    client& one = clients[number];
    if ((what & EPOLLOUT) != 0 && (what & (EPOLLERR | EPOLLHUP)) == 0) {
        send(one, "GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n");
        watch(number, true);
        return;
    }
    take(number);
}

void crowd::take(std::size_t number)
{
    client& one = clients[number];
    std::array<char, 65536> bytes;
    for (int times = 0; times < 16; ++times) {
        const auto size = ::recv(one.socket, bytes.data(), bytes.size(), 0);
        if (size > 0) {
            one.in.append(bytes.data(), static_cast<std::size_t>(size));
            parse(one);
            if (!one.reads && one.subscribed > 0) {
                watch(number, false);
                return;
            }
            continue;
        }
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        one.refused = one.refused || !one.upgraded;
        disconnect(one);
        return;
    }
}

void crowd::parse(client& one)
{
    std::size_t at = 0;
    if (!one.upgraded) {
        const auto end = one.in.find("\r\n\r\n");
        if (end == std::string::npos) {
            return;
        }
        if (one.in.rfind("HTTP/1.1 101", 0) != 0) {
            one.answer = one.in;
            return; // it is closed
        }
        one.upgraded = true;
        --connecting_;
        at = end + 4;
        const std::string after = one.cursor.empty() ? "" : ",\"after\":\"" + one.cursor + "\"";
        if (!one.wish.empty()) {
            send(one, client_frame(text_frame, "{\"type\":\"subscribe\",\"id\":\"s\"," + one.wish + after + "}"));
        }
    }
    for (;;) {
        const auto left = one.in.size() - at;
        const auto byte = [&](std::size_t i) { return static_cast<std::uint64_t>(static_cast<unsigned char>(one.in[at + i])); };
        if (left < 2) {
            break;
        }
        std::uint64_t size = byte(1) & 0x7F;
        std::size_t header = 2;
        if (size >= 126) {
            const std::size_t digits = size == 126 ? 2 : 8;
            if (left < 2 + digits) {
                break;
            }
            size = 0;
            for (std::size_t i = 0; i < digits; ++i) {
                size = size << 8 | byte(2 + i);
            }
            header += digits;
        }
        if (left < header + size) {
            break;
        }
        const unsigned opcode = byte(0) & 0xF;
        const std::string_view text(one.in.data() + at + header, size);
        if (opcode == 9) {
            send(one, client_frame(pong_frame, text));
        } else if (opcode == 8) {
            send(one, client_frame(close_frame, text));
        } else if (opcode == 1) {
            message(one, text);
        }
        at += header + size;
    }
    one.in.erase(0, at);
}

void crowd::message(client& one, std::string_view text)
{
    const std::string_view type = member(text, "type");
    ++one.frames;
    if (type == "error" && text.find("too_many_sessions") != std::string_view::npos) {
        one.refused = true;
        one.answer = text;
        return;
    }
    if (type == "error") {
        throw std::runtime_error("a client of the crowd got " + std::string(text));
    }
    if (type == "goodbye") {
        one.comes_back = std::chrono::steady_clock::now() + std::chrono::milliseconds(number_member(text, "reconnect_ms"));
    }
    if (type == "subscribed") {
        ++one.subscribed;
        one.status = member(text, "status");
    }
    if (type == "changes") {
        ++one.messages;
        one.more = text.find("\"more\":true") != std::string_view::npos;
        const std::string_view row = "\"row\":{\"id\":";
        for (auto at = text.find(row); at != std::string_view::npos; at = text.find(row, at)) {
            at += row.size();
            std::uint64_t key = 0;
            std::from_chars(text.data() + at, text.data() + text.size(), key);
            one.keys.push_back(key);
        }
    }
    if (type == "subscribed" || type == "changes" || type == "cursor") {
        one.cursor = member(text, "cursor");
    }
    if (heard) {
        heard(one, text);
    }
}

void crowd::send(client& one, std::string_view bytes)
{
    if (::send(one.socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) {
        one.refused = !one.upgraded; // the end of the connection is noticed by reading
    }
}

}
