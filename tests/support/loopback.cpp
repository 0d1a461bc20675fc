#include "support/loopback.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace rowcast::support {
namespace {

sockaddr_in address_of(std::uint16_t port)
{
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return out;
}

[[noreturn]] void fail(int socket, const std::string& what)
{
    const std::error_code why(errno, std::generic_category());
    if (socket >= 0) {
        ::close(socket);
    }
    throw std::system_error(why, what);
}

}

int listen_at(std::uint16_t port)
{
    const int made = ::socket(AF_INET, SOCK_STREAM, 0);
    const int yes = 1;
    const sockaddr_in here = address_of(port);
    if (made < 0 || ::setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        ::bind(made, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 || ::listen(made, SOMAXCONN) != 0) {
        fail(made, "listening on port " + std::to_string(port));
    }
    return made;
}

int connect_to(std::uint16_t port)
{
    const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    const sockaddr_in there = address_of(port);
    if (made < 0 || ::connect(made, reinterpret_cast<const sockaddr*>(&there), sizeof there) != 0 ||
        ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0) {
        fail(made, "connecting to port " + std::to_string(port));
    }
    return made;
}

void send_all(int socket, std::string_view bytes)
{
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) {
            throw std::system_error(errno, std::generic_category(), "sending");
        }
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

}
