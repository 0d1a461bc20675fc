#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <thread>

namespace rowcast::support {

/// A wire to a port of this machine that can break in every way that wires do. A thread of its own carries the bytes; what
/// is asked of it has happened when the call returns. Any thread may call.
class tcp_proxy {
public:
    explicit tcp_proxy(std::uint16_t target);
    ~tcp_proxy();
    tcp_proxy(const tcp_proxy&) = delete;
    tcp_proxy& operator=(const tcp_proxy&) = delete;

    /// Of 127.0.0.1; the same for ever.
    std::uint16_t port() const noexcept { return port_; }

    /// Lets new connections through. Those that fell silent stay so.
    void pass();
    /// New connections are refused, those that are there live on.
    void refuse();
    /// Half-open: what is sent, on the connections that are there and on new ones, is taken and goes nowhere, and neither end
    /// is told. Those connections never speak again.
    void silence();
    /// Ends all connections.
    void cut();
    /// Where new connections lead from now on; those that are there are ended.
    void redirect(std::uint16_t target);

private:
    enum class mode { passing, refusing, silent };

    struct half {
        int socket = -1;
        std::string unsent; // towards this end
    };

    struct pair {
        half client;
        half server;
        bool silent = false;
        bool over = false;
    };

    template <class Change>
    void ask(Change change);
    void run();
    bool obey();
    void listen();
    void accept();
    void carry(half& from, half& to, pair& both, short events);
    static void close(pair& ended);

    std::mutex mutex_;
    std::condition_variable obeyed_;
    mode wanted_ = mode::passing;
    std::uint16_t target_;
    bool fall_silent_ = false;
    bool cut_ = false;
    bool stop_ = false;
    std::uint64_t asked_ = 0;
    std::uint64_t done_ = 0;

    // Of the thread.
    mode now_ = mode::passing;
    std::uint16_t leads_to_;
    int listening_ = -1;
    std::list<pair> pairs_;

    std::uint16_t port_;
    int wake_[2] = {-1, -1};
    std::thread thread_;
};

}
