#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "config/configuration.hpp"
#include "core/result.hpp"

namespace rowcast::net {

// How many sessions there are, in all and of each user, over all threads: the one thing that they share. It is asked
// once a session, so a mutex does.
class session_count {
public:
    explicit session_count(const config::limits& limits) { limit(limits); }

    // One session's place, given back by its destructor. Must not outlive the count.
    class place {
    public:
        place() = default;
        place(session_count& in, std::string subject) : in_(&in), subject_(std::move(subject)) {}
        place(place&& other) noexcept : in_(std::exchange(other.in_, nullptr)), subject_(std::move(other.subject_)) {}
        place& operator=(place&& other) noexcept
        {
            std::swap(in_, other.in_);
            std::swap(subject_, other.subject_);
            return *this;
        }
        ~place();

    private:
        session_count* in_ = nullptr;
        std::string subject_;
    };

    // Fails with too_many_sessions. Nobody knows the anonymous (an empty subject) apart, so only the whole is limited.
    core::result<place> enter(const std::string& subject);

    std::size_t size() const { return size_; }
    std::size_t most() const { return most_; }

    // From now on; whoever is there stays.
    void limit(const config::limits& limits);

private:
    std::atomic<std::size_t> size_{0};
    std::atomic<std::size_t> most_{0};
    std::mutex mutex_; // of what follows
    std::size_t most_of_user_ = 0;
    std::unordered_map<std::string, std::size_t> users_;
};

} // namespace rowcast::net
