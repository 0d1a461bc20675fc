#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <string_view>
#include <thread>

namespace rowcast::bench {

// A client that means harm, from an address of its own in 127.0.0.0/8, on a thread of its own: one attack after the other, of all
// kinds, as fast as it is told. Its destructor ends it and what it holds open.
class attacker {
public:
    attacker(std::uint16_t port, int number, int attacks_per_second);
    ~attacker();
    attacker(const attacker&) = delete;

    std::size_t attacks() const { return attacks_; }

private:
    void run();
    void attack();
    void send_malformed_request();
    void send_bad_token();
    void send_bad_query();
    void send_malformed_frame();
    void flood();
    void vanish();
    void hold(std::string_view bytes);
    void drip();

    int connect() const;
    int open_websocket() const;
    std::string noise(std::size_t size);
    std::size_t dice(std::size_t sides) { return random_() % sides; }

    const std::uint16_t port_;
    const std::uint32_t address_;
    const int attacks_per_second_;
    std::mt19937 random_;
    std::deque<int> held_; // connections on which little or nothing happens
    std::atomic<std::size_t> attacks_ = 0;
    std::atomic<bool> stopping_ = false;
    std::thread thread_;
};

} // namespace rowcast::bench
