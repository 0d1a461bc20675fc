#pragma once

#include <cstdint>

namespace rowcast::support {

/// A TCP port of 127.0.0.1 that nobody listens on, below the range that the kernel gives to outgoing connections, so that
/// none of those takes it before its user binds it.
std::uint16_t free_port();

}
