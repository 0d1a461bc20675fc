#include "support/raw_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace rowcast::support {

raw_client::raw_client(std::uint16_t port, bool ipv6)
{
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    v6.sin6_addr = in6addr_loopback;
    const void* const where = ipv6 ? static_cast<const void*>(&v6) : &v4;
    socket_ = ::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0 || ::connect(socket_, static_cast<const sockaddr*>(where), ipv6 ? sizeof v6 : sizeof v4) != 0)
        throw std::system_error{errno, std::generic_category(), "connect"};
}

raw_client::raw_client(const std::string& path)
{
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    path.copy(where.sun_path, sizeof where.sun_path - 1);
    socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0 || ::connect(socket_, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0)
        throw std::system_error{errno, std::generic_category(), "connect"};
}

raw_client::~raw_client()
{
    ::close(socket_);
}

void raw_client::send(std::string_view bytes)
{
    while (!bytes.empty()) {
        const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

void raw_client::finish_sending()
{
    ::shutdown(socket_, SHUT_WR);
}

bool raw_client::read_some(std::chrono::steady_clock::time_point until)
{
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd wanted{socket_, POLLIN, 0};
    if (left.count() < 0 || ::poll(&wanted, 1, static_cast<int>(left.count())) == 0)
        throw std::runtime_error{"nothing more came in time; there was: " + pending_};
    std::array<char, 65536> bytes;
    const auto size = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (size > 0)
        pending_.append(bytes.data(), static_cast<std::size_t>(size));
    return size > 0;
}

std::string raw_client::read_until(std::string_view end, std::chrono::milliseconds within)
{
    const auto until = std::chrono::steady_clock::now() + within;
    for (;;) {
        if (const auto found = pending_.find(end); found != std::string::npos) {
            std::string out = pending_.substr(0, found + end.size());
            pending_.erase(0, found + end.size());
            return out;
        }
        if (!read_some(until))
            throw std::runtime_error{"the connection ended; there was: " + pending_};
    }
}

std::string raw_client::read_all(std::chrono::milliseconds within)
{
    const auto until = std::chrono::steady_clock::now() + within;
    while (read_some(until)) {
    }
    return std::exchange(pending_, {});
}

}
