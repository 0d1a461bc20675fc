#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "auth/key.hpp"
#include "observe/observation.hpp"

namespace rowcast::auth {

// A key set in a file; a megabyte at most, and it may hold secrets. Fails with a sentence.
core::result<key_set> read_key_set_file(const std::string& path);

// A key set (JWKS) behind a URL or in a file, read again and again on a thread of its own: a URL as often as its answer
// says (Cache-Control), within limits; a file soon after it has changed. What cannot be read leaves the keys that there
// were, is told, and tried again with growing pauses. Any thread may ask.
class key_source {
public:
    struct pauses {
        std::chrono::milliseconds first_retry{1000}; // doubles, with jitter
        std::chrono::milliseconds last_retry = std::chrono::minutes(5);
        std::chrono::milliseconds least_fresh = std::chrono::minutes(1);
        std::chrono::milliseconds usually_fresh = std::chrono::minutes(10);
        std::chrono::milliseconds most_fresh = std::chrono::hours(24);
        std::chrono::milliseconds file = std::chrono::seconds(10);
        std::chrono::milliseconds between_demands = std::chrono::seconds(30);
    };

    key_source(std::string where, observe::sink tell, pauses waiting);
    key_source(std::string where, observe::sink tell) : key_source(std::move(where), std::move(tell), pauses{}) {}
    ~key_source(); // waits for the thread; a fetch under way is cancelled
    key_source(const key_source&) = delete;

    // Null: none could be read so far.
    std::shared_ptr<const key_set> now() const;

    // Somebody has a token of a key that is not known: asks for the set once more, soon. False where that was done a short
    // while ago, and the key is not there. Strangers call this with what they make up, so it is bounded.
    bool demand();

    const std::string& where() const { return where_; }

private:
    using clock = std::chrono::steady_clock;

    void run();
    std::chrono::milliseconds look();
    core::result<std::string> read(std::chrono::milliseconds& fresh_for);

    const std::string where_;
    const observe::sink tell_;
    const pauses waiting_;
    unsigned failures_ = 0;   // of the thread, as the next one
    std::string last_content_;

    mutable std::mutex mutex_; // of what follows
    std::condition_variable changed_;
    std::shared_ptr<const key_set> keys_;
    clock::time_point demanded_{};
    bool look_now_ = false;
    bool stopped_ = false;
    std::thread thread_; // last: it uses the others
};

} // namespace rowcast::auth
