#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

namespace rowcast::bench {

// A WebSocket subscriber that takes what comes as fast as the kernel gives it and only counts events, on a thread of its
// own, so that not it is what a benchmark measures.
class counting_client {
public:
    // Returns when the subscription has been answered, whose cursor `cursor()` then has. Throws where it is refused.
    counting_client(std::uint16_t port, const std::string& table, const std::string& after = {});
    ~counting_client();
    counting_client(const counting_client&) = delete;

    // "live", "resumed" or "reset".
    const std::string& status() const noexcept { return status_; }
    const std::string& cursor() const noexcept { return cursor_; }

    std::size_t events() const noexcept { return events_; }
    std::size_t bytes() const noexcept { return bytes_; } // of the messages

    // When the last of them came.
    std::chrono::steady_clock::time_point last_came() const noexcept { return last_came_; }

    // Whether that many events came in time.
    bool await(std::size_t events, std::chrono::milliseconds within) const;

private:
    std::string read_message();
    void take(const char* data, std::size_t size);
    void take_payload(std::string_view part);
    void run();

    int socket_ = -1;
    std::string status_;
    std::string cursor_;
    std::string header_;           // of the frame that begins, as far as it has come
    std::uint64_t payload_left_ = 0;
    std::string tail_;             // of the payload: an event's mark may be cut in two
    std::string message_;          // kept only until the subscription is answered
    bool keep_ = true;
    bool ended_ = false;           // the message of the frame that has just ended
    std::atomic<std::size_t> events_{0};
    std::atomic<std::size_t> bytes_{0};
    std::atomic<std::chrono::steady_clock::time_point> last_came_{};
    std::thread reader_;
};

} // namespace rowcast::bench
