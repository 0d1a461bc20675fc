// The least that a fan-out can do: whatever a publisher sends is written to each subscriber, with one write for a socket and
// wake-up. Who says GET is a subscriber, anybody else a publisher. One thread.
//
//     bench/fan_out_floor PORT

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_set>

#include "support/loopback.hpp"

namespace {

constexpr std::string_view accepted = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"; // of the audience's key

} // namespace

int main(int argc, char** argv)
{
    const int listener = rowcast::support::listen_at(static_cast<std::uint16_t>(std::atoi(argc > 1 ? argv[1] : "0")));
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    const auto watch = [&](int socket) {
        epoll_event wanted{};
        wanted.events = EPOLLIN;
        wanted.data.fd = socket;
        ::epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &wanted);
    };
    watch(listener);
    std::unordered_set<int> subscribers;
    std::array<epoll_event, 64> events;
    std::array<char, 65536> bytes;
    for (;;) {
        const int many = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
        for (int i = 0; i < many; ++i) {
            const int from = events[static_cast<std::size_t>(i)].data.fd;
            if (from == listener) {
                watch(::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
                continue;
            }
            const ssize_t size = ::recv(from, bytes.data(), bytes.size(), 0);
            if (size <= 0) {
                subscribers.erase(from);
                ::close(from);
            } else if (bytes[0] == 'G') {
                subscribers.insert(from);
                ::send(from, accepted.data(), accepted.size(), MSG_NOSIGNAL);
            } else {
                for (const int each : subscribers) {
                    if (::send(each, bytes.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) != size) {
                        throw std::system_error(errno, std::generic_category(), "a subscriber takes no more");
                    }
                }
            }
        }
    }
}
