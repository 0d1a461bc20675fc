#include "support/free_port.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>
#include <stdexcept>

namespace rowcast::support {

namespace {

bool can_bind(std::uint16_t port)
{
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0)
        return false;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    const void* pointer = &address;
    const bool bound = ::bind(socket, static_cast<const sockaddr*>(pointer), sizeof address) == 0;
    ::close(socket);
    return bound;
}

}

std::uint16_t free_port()
{
    std::random_device random;
    std::uniform_int_distribution<std::uint16_t> range{10'000, 32'000};
    for (int attempt = 0; attempt < 1'000; ++attempt) {
        const std::uint16_t port = range(random);
        if (can_bind(port))
            return port;
    }
    throw std::runtime_error{"no free TCP port on 127.0.0.1 between 10000 and 32000"};
}

}
