#include "support/tcp_proxy.hpp"

#include "support/free_port.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

namespace rowcast::support {

namespace {

constexpr std::size_t most_unsent = 256 * 1024;

sockaddr_in loopback(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

const sockaddr* generic(const sockaddr_in& address)
{
    const void* pointer = &address;
    return static_cast<const sockaddr*>(pointer);
}

int open_socket()
{
    const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made < 0)
        throw std::system_error{errno, std::generic_category(), "socket"};
    const int yes = 1;
    ::setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return made;
}

bool is_over(ssize_t result)
{
    return result == 0 || (result < 0 && errno != EAGAIN && errno != EINTR && errno != ENOTCONN);
}

}

tcp_proxy::tcp_proxy(std::uint16_t target)
    : target_{target}
    , leads_to_{target}
    , port_{free_port()}
{
    if (::pipe2(wake_, O_CLOEXEC | O_NONBLOCK) != 0)
        throw std::system_error{errno, std::generic_category(), "pipe2"};
    listen();
    thread_ = std::thread{[this] { run(); }};
}

tcp_proxy::~tcp_proxy()
{
    ask([this] { stop_ = cut_ = true; });
    thread_.join();
    for (const int each : wake_)
        ::close(each);
}

void tcp_proxy::pass()
{
    ask([this] { wanted_ = mode::passing; });
}

void tcp_proxy::refuse()
{
    ask([this] { wanted_ = mode::refusing; });
}

void tcp_proxy::silence()
{
    ask([this] {
        wanted_ = mode::silent;
        fall_silent_ = true;
    });
}

void tcp_proxy::cut()
{
    ask([this] { cut_ = true; });
}

void tcp_proxy::redirect(std::uint16_t target)
{
    ask([&] {
        target_ = target;
        cut_ = true;
    });
}

template <class Change>
void tcp_proxy::ask(Change change)
{
    std::unique_lock lock{mutex_};
    change();
    const std::uint64_t mine = ++asked_;
    [[maybe_unused]] const ssize_t told = ::write(wake_[1], "", 1);
    obeyed_.wait(lock, [&] { return done_ >= mine; });
}

// Whoever connects is answered by the kernel, so that to refuse is not to listen.
void tcp_proxy::listen()
{
    listening_ = open_socket();
    const sockaddr_in address = loopback(port_);
    if (::bind(listening_, generic(address), sizeof address) != 0 || ::listen(listening_, 128) != 0)
        throw std::system_error{errno, std::generic_category(), "listening on port " + std::to_string(port_)};
}

// Whether to go on.
bool tcp_proxy::obey()
{
    const std::lock_guard lock{mutex_};
    std::array<char, 64> ignored;
    while (::read(wake_[0], ignored.data(), ignored.size()) > 0) {
    }
    leads_to_ = target_;
    now_ = wanted_;
    if ((now_ == mode::refusing || stop_) && listening_ >= 0)
        ::close(std::exchange(listening_, -1));
    if (now_ != mode::refusing && !stop_ && listening_ < 0)
        listen();
    for (pair& each : pairs_)
        each.silent = each.silent || fall_silent_;
    fall_silent_ = false;
    if (std::exchange(cut_, false)) {
        for (pair& each : pairs_)
            close(each);
        pairs_.clear();
    }
    done_ = asked_;
    obeyed_.notify_all();
    return !stop_;
}

void tcp_proxy::accept()
{
    const int client = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0)
        return;
    pair made;
    made.client.socket = client;
    made.silent = now_ == mode::silent;
    if (!made.silent) {
        made.server.socket = open_socket();
        const sockaddr_in address = loopback(leads_to_);
        made.over = ::connect(made.server.socket, generic(address), sizeof address) != 0 && errno != EINPROGRESS;
    }
    pairs_.push_back(std::move(made));
}

void tcp_proxy::carry(half& from, half& to, pair& both, short events)
{
    if ((events & (POLLIN | POLLHUP | POLLERR)) != 0) {
        std::array<char, 65536> buffer;
        const ssize_t count = ::recv(from.socket, buffer.data(), buffer.size(), 0);
        if (count > 0 && !both.silent)
            to.unsent.append(buffer.data(), static_cast<std::size_t>(count));
        if (is_over(count) && both.silent && &from == &both.server)
            ::close(std::exchange(both.server.socket, -1)); // the client must not learn of it
        else
            both.over = both.over || is_over(count);
    }
    if (!to.unsent.empty() && !both.silent) {
        const ssize_t count = ::send(to.socket, to.unsent.data(), to.unsent.size(), MSG_NOSIGNAL);
        if (count > 0)
            to.unsent.erase(0, static_cast<std::size_t>(count));
        else
            both.over = both.over || is_over(count);
    }
}

void tcp_proxy::close(pair& ended)
{
    for (half* each : {&ended.client, &ended.server})
        if (each->socket >= 0)
            ::close(std::exchange(each->socket, -1));
}

void tcp_proxy::run()
{
    for (;;) {
        std::vector<pollfd> waiting{{wake_[0], POLLIN, 0}, {listening_, POLLIN, 0}};
        for (const pair& each : pairs_) {
            const auto events = [&](const half& mine, const half& other) {
                const bool room = other.unsent.size() < most_unsent || each.silent;
                const bool more = !mine.unsent.empty() && !each.silent;
                return static_cast<short>((room ? POLLIN : 0) | (more ? POLLOUT : 0));
            };
            waiting.push_back({each.client.socket, events(each.client, each.server), 0});
            waiting.push_back({each.server.socket, events(each.server, each.client), 0});
        }
        if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR)
            return;
        std::size_t at = 2;
        for (pair& each : pairs_) {
            const short client = waiting[at++].revents;
            const short server = waiting[at++].revents;
            carry(each.client, each.server, each, client);
            if (each.server.socket >= 0)
                carry(each.server, each.client, each, server);
        }
        pairs_.remove_if([](pair& each) {
            if (each.over)
                close(each);
            return each.over;
        });
        if (waiting[1].revents != 0)
            accept();
        if (waiting[0].revents != 0 && !obey())
            return;
    }
}

}
