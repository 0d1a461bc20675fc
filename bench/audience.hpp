#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rowcast::bench {

// Thousands of WebSocket subscribers of any server, which count what they get and look no further: a `mark` in the text of
// a message is a delivery. Cheaper than whatever serves them. One thread.
class audience {
public:
    static constexpr char mark = '~';

    struct door {
        std::uint16_t port = 0;
        std::string path;
        std::string subscribe;  // what is said first; empty: nothing
        std::string subscribed; // the answer to that contains it; empty: nobody waits for it
    };

    // Returns when all are subscribed, or have asked where nobody waits for answers. Throws when one is refused.
    audience(const door& of, std::size_t many);
    ~audience();
    audience(const audience&) = delete;

    // Reads until there have been as many deliveries; throws when they do not come in time.
    void await(std::uint64_t deliveries, std::chrono::seconds within);

    std::uint64_t deliveries() const { return deliveries_; }
    std::uint64_t bytes() const { return bytes_; }

private:
    struct member {
        int socket = -1;
        std::string header; // of the frame that has begun
        std::uint64_t left = 0; // of its payload
    };

    void enter(member& added, const door& of);
    void count(member& of, std::string_view bytes);

    std::vector<member> members_;
    int epoll_;
    std::uint64_t deliveries_ = 0;
    std::uint64_t bytes_ = 0; // with the frames' headers
};

} // namespace rowcast::bench
