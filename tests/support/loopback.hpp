#pragma once

#include <cstdint>
#include <string_view>

namespace rowcast::support {

/// A socket that listens on a port of 127.0.0.1, and that children inherit. The caller closes it. Throws where the port is taken.
int listen_at(std::uint16_t port);

/// A blocking connection to a port of 127.0.0.1. The caller closes it. Throws where nobody listens.
int connect_to(std::uint16_t port);

/// Throws where the other end has closed.
void send_all(int socket, std::string_view bytes);

}
