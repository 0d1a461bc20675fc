#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

namespace rowcast::support {

/// Long enough that only a real failure reaches it, on a busy machine and under a sanitizer too.
inline constexpr std::chrono::milliseconds patience{20'000};

/// Whether `holds()` becomes true within the deadline; asks again after 1, 2, 4 ... 50 ms.
/// For conditions that nothing announces; where there is an event, wait for the event.
template <class Predicate>
bool eventually(Predicate&& holds, std::chrono::milliseconds within = patience)
{
    const auto deadline = std::chrono::steady_clock::now() + within;
    std::chrono::milliseconds pause{1};
    while (!holds()) {
        if (std::chrono::steady_clock::now() >= deadline)
            return holds();
        std::this_thread::sleep_for(pause);
        pause = std::min(pause * 2, std::chrono::milliseconds{50});
    }
    return true;
}

}
