#include "bare_server.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "support/free_port.hpp"
#include "support/loopback.hpp"

namespace rowcast::bench {

bare_server::bare_server() : port_(support::free_port()), listener_(support::listen_at(port_)), epoll_(::epoll_create1(EPOLL_CLOEXEC))
{
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.fd = listener_;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &wanted);
    thread_ = std::thread([this] { run(); });
}

bare_server::~bare_server()
{
    stopping_ = true;
    thread_.join();
    ::close(epoll_);
    ::close(listener_);
}

void bare_server::run()
{
    std::array<epoll_event, 64> events;
    std::array<char, 65536> bytes;
    while (!stopping_) {
        const int many = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 100);
        for (int i = 0; i < many; ++i) {
            const int from = events[static_cast<std::size_t>(i)].data.fd;
            if (from == listener_) {
                epoll_event wanted{};
                wanted.events = EPOLLIN;
                wanted.data.fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (wanted.data.fd >= 0) {
                    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wanted.data.fd, &wanted);
                }
            } else if (const auto size = ::recv(from, bytes.data(), bytes.size(), 0); size == 0 || (size < 0 && errno != EAGAIN)) {
                ::close(from);
            }
        }
    }
}

} // namespace rowcast::bench
