#include "cli/interruption.hpp"

#include <ctime>

namespace rowcast::cli {

interruption::interruption(const std::vector<int>& signals)
{
    sigemptyset(&set_);
    for (const int each : signals) {
        sigaddset(&set_, each);
    }
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
}

interruption::~interruption()
{
    // What is pending was answered already, or arrives too late to matter: it must not kill us in the middle of cleaning up.
    const timespec now{};
    while (sigtimedwait(&set_, nullptr, &now) > 0) {
    }
    pthread_sigmask(SIG_UNBLOCK, &set_, nullptr);
}

std::optional<int> interruption::next(std::chrono::milliseconds time)
{
    const auto count = time.count();
    const timespec most{count / 1000, (count % 1000) * 1'000'000};
    const int signal = sigtimedwait(&set_, nullptr, &most);
    return signal > 0 ? std::optional(signal) : std::nullopt;
}

std::optional<int> interruption::wait(std::chrono::milliseconds time)
{
    if (!came_) {
        came_ = next(time);
    }
    return came_;
}

void interruption::pause(std::chrono::milliseconds time)
{
    if (wait(time)) {
        throw interrupted();
    }
}

} // namespace rowcast::cli
