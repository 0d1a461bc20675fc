#include "audience.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "support/loopback.hpp"
#include "support/websocket_frame.hpp"

namespace rowcast::bench {

using support::header_size;
using support::payload_size;
using support::send_all;
audience::audience(const door& of, std::size_t many) : members_(many), epoll_(::epoll_create1(EPOLL_CLOEXEC))
{
    for (member& each : members_) {
        enter(each, of);
    }
}

audience::~audience()
{
    for (const member& each : members_) {
        ::close(each.socket);
    }
    ::close(epoll_);
}

void audience::enter(member& added, const door& of)
{
    added.socket = support::connect_to(of.port);
    std::string answer;
    const auto read_until = [&](std::string_view end) {
        while (answer.find(end) == std::string::npos) {
            std::array<char, 4096> bytes;
            const ssize_t size = ::recv(added.socket, bytes.data(), bytes.size(), 0);
            if (size <= 0 || !answer.append(bytes.data(), static_cast<std::size_t>(size)).starts_with("HTTP/1.1 101")) {
                throw std::runtime_error("a subscriber is refused: " + answer);
            }
        }
    };
    const std::string_view end_of_header = "\r\n\r\n";
    send_all(added.socket, "GET " + of.path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    read_until(end_of_header);
    if (!of.subscribe.empty()) {
        send_all(added.socket, support::client_frame(support::text_frame, of.subscribe));
        if (!of.subscribed.empty()) {
            read_until(of.subscribed);
        }
    }
    // What the subscription had missed may have come with its answer.
    count(added, std::string_view(answer).substr(answer.find(end_of_header) + end_of_header.size()));
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.ptr = &added;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, added.socket, &wanted);
}

void audience::await(std::uint64_t deliveries, std::chrono::seconds within)
{
    const auto until = std::chrono::steady_clock::now() + within;
    std::array<epoll_event, 512> events;
    std::array<char, 65536> bytes;
    while (deliveries_ < deliveries) {
        const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 1000);
        for (int i = 0; i < ready; ++i) {
            member& from = *static_cast<member*>(events[static_cast<std::size_t>(i)].data.ptr);
            const ssize_t size = ::recv(from.socket, bytes.data(), bytes.size(), 0);
            if (size <= 0) {
                throw std::runtime_error("the server has closed a connection");
            }
            count(from, {bytes.data(), static_cast<std::size_t>(size)});
        }
        if (ready == 0 && std::chrono::steady_clock::now() > until) {
            throw std::runtime_error(std::to_string(deliveries_) + " deliveries of " + std::to_string(deliveries) + " in time");
        }
    }
}

void audience::count(member& of, std::string_view bytes)
{
    bytes_ += bytes.size();
    while (!bytes.empty()) {
        if (of.left == 0) {
            of.header += bytes.front();
            bytes.remove_prefix(1);
            if (of.header.size() < 2 || of.header.size() < header_size(of.header)) {
                continue;
            }
            of.left = payload_size(of.header);
            of.header.clear();
        }
        const auto part = bytes.substr(0, of.left);
        deliveries_ += static_cast<std::uint64_t>(std::count(part.begin(), part.end(), mark));
        bytes.remove_prefix(part.size());
        of.left -= part.size();
    }
}

} // namespace rowcast::bench
