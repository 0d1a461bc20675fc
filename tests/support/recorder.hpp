#pragma once

#include "observe/observation.hpp"
#include "support/eventually.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace rowcast::support {

/// Keeps every observation, and waits for the one that a test is about. Must outlive whoever was given its sink.
class recorder {
public:
    observe::sink sink()
    {
        return [this](const observe::observation& what) {
            const std::lock_guard lock{mutex_};
            seen_.push_back(what);
            arrived_.notify_all();
        };
    }

    /// The first observation of this kind for which `matches` holds, from the one numbered `from` on; waits for it. Throws when none comes in time.
    template <class Kind>
    Kind wait_for(
        const std::function<bool(const Kind&)>& matches = [](const Kind&) { return true; }, std::size_t from = 0,
        std::chrono::milliseconds within = patience)
    {
        std::unique_lock lock{mutex_};
        const auto deadline = std::chrono::steady_clock::now() + within;
        for (std::size_t next = from;;) {
            for (; next < seen_.size(); ++next) {
                const Kind* it = std::get_if<Kind>(&seen_[next]);
                if (it != nullptr && matches(*it))
                    return *it;
            }
            if (arrived_.wait_until(lock, deadline) == std::cv_status::timeout && next == seen_.size())
                throw std::runtime_error{"the observation did not come in time; there were " + std::to_string(seen_.size()) + " others"};
        }
    }

    /// How many of this kind there were until now.
    template <class Kind>
    std::size_t count() const
    {
        const std::lock_guard lock{mutex_};
        std::size_t result = 0;
        for (const observe::observation& each : seen_)
            result += std::holds_alternative<Kind>(each);
        return result;
    }

    /// Those of this kind until now.
    template <class Kind>
    std::vector<Kind> all() const
    {
        const std::lock_guard lock{mutex_};
        std::vector<Kind> result;
        for (const observe::observation& each : seen_)
            if (const Kind* it = std::get_if<Kind>(&each))
                result.push_back(*it);
        return result;
    }

    /// How many there were until now: where to wait from for the next one.
    std::size_t size() const
    {
        const std::lock_guard lock{mutex_};
        return seen_.size();
    }

    /// As if there had been none: for who runs for long. The numbers begin anew.
    void forget()
    {
        const std::lock_guard lock{mutex_};
        seen_.clear();
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<observe::observation> seen_;
};

}
