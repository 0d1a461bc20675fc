#pragma once

#include "support/eventually.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace rowcast::support {

/// Bytes to and from a port of this machine, for tests of what well-behaved clients do not do.
class raw_client {
public:
    explicit raw_client(std::uint16_t port, bool ipv6 = false);
    explicit raw_client(const std::string& path); // of a Unix socket
    ~raw_client();
    raw_client(const raw_client&) = delete;

    /// May be cut off by a server that has closed.
    void send(std::string_view bytes);
    void finish_sending();

    /// Everything up to and with `end`. Throws where the connection ends or nothing comes in time, quoting what came.
    std::string read_until(std::string_view end, std::chrono::milliseconds within = patience);

    /// Everything up to the end of the connection; a reset counts as one.
    std::string read_all(std::chrono::milliseconds within = patience);

private:
    bool read_some(std::chrono::steady_clock::time_point until);

    int socket_ = -1;
    std::string pending_;
};

}
