#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

namespace rowcast::bench {

// The least that a server can do for hostile clients: it takes connections and what is sent, and never answers. One thread.
class bare_server {
public:
    bare_server();
    ~bare_server();
    bare_server(const bare_server&) = delete;

    std::uint16_t port() const { return port_; }

private:
    void run();

    const std::uint16_t port_;
    const int listener_;
    const int epoll_;
    std::atomic<bool> stopping_ = false;
    std::thread thread_;
};

} // namespace rowcast::bench
