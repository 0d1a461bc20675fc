#pragma once

#include <signal.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <vector>

namespace rowcast::cli {

struct interrupted : std::runtime_error {
    interrupted()
        : std::runtime_error("interrupted")
    {
    }
};

// SIGINT, SIGTERM and the like as something to wait for: nothing is cut off halfway, and every destructor runs. To be made
// before any other thread, so that all of them inherit the mask; the destructor restores it. One thread uses it.
class interruption {
public:
    explicit interruption(const std::vector<int>& signals = {SIGINT, SIGTERM, SIGHUP});
    ~interruption();
    interruption(const interruption&) = delete;

    // The signal that came, now or before; nothing when the time is over.
    std::optional<int> wait(std::chrono::milliseconds time);

    // The next signal, each once.
    std::optional<int> next(std::chrono::milliseconds time);

    // Waits so long, and throws `interrupted` where a signal came.
    void pause(std::chrono::milliseconds time);

private:
    sigset_t set_;
    std::optional<int> came_;
};

} // namespace rowcast::cli
