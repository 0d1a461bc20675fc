#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace rowcast::torture {

// What a run has done and what it has found. Any thread.
class account {
public:
    void count(const std::string& what, std::uint64_t times = 1)
    {
        const std::lock_guard lock(mutex_);
        counts_[what] += times;
    }

    std::uint64_t counted(const std::string& what) const
    {
        const std::lock_guard lock(mutex_);
        const auto found = counts_.find(what);
        return found == counts_.end() ? 0 : found->second;
    }

    // "what 12, whatever 7" of everything that begins with `prefix`, without it.
    std::string all(const std::string& prefix) const
    {
        const std::lock_guard lock(mutex_);
        std::string text;
        for (const auto& [what, times] : counts_) {
            if (what.starts_with(prefix)) {
                text += (text.empty() ? "" : ", ") + what.substr(prefix.size()) + " " + std::to_string(times);
            }
        }
        return text;
    }

    // Ends the run.
    void fail(const std::string& what)
    {
        const std::lock_guard lock(mutex_);
        failures_.push_back(what);
        failed_ = true;
    }

    bool failed() const { return failed_; }

    std::vector<std::string> failures() const
    {
        const std::lock_guard lock(mutex_);
        return failures_;
    }

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::uint64_t> counts_;
    std::vector<std::string> failures_;
    std::atomic<bool> failed_ = false;
};

} // namespace rowcast::torture
