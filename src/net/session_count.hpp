#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "config/configuration.hpp"
#include "core/result.hpp"
#include "net/client_address.hpp"

namespace rowcast::net {

// How many sessions there are, in all, of each user and from each address, over all threads: the one thing that they share. It is
// asked once a session, so a mutex does.
class session_count {
    using users = std::map<std::string, std::size_t>;
    using addresses = std::map<core::address, std::size_t>;

public:
    explicit session_count(const config::limits& limits) { limit(limits); }

    // One session's place, given back by its destructor. Must not outlive the count.
    class place {
    public:
        place() = default;
        place(place&& other) noexcept : in_(std::exchange(other.in_, nullptr)), user_(other.user_), address_(other.address_) {}
        place& operator=(place&& other) noexcept
        {
            std::swap(in_, other.in_);
            std::swap(user_, other.user_);
            std::swap(address_, other.address_);
            return *this;
        }
        ~place();

        // It is another user's from now on. Fails with too_many_sessions, and stays whose it was.
        core::result<void> pass_to(const std::string& subject);

    private:
        friend session_count;
        session_count* in_ = nullptr;
        users::iterator user_{};        // end: nobody's
        addresses::iterator address_{}; // end: from nowhere
    };

    // Fails with too_many_sessions. Nobody knows the anonymous (an empty subject) apart, nor those without an address: of them the
    // other limits hold.
    core::result<place> enter(const std::string& subject, const origin_address& from);

    std::size_t size() const { return size_; }
    std::size_t most() const { return most_; }

    // From now on; whoever is there stays.
    void limit(const config::limits& limits);

private:
    core::result<users::iterator> enter_user(const std::string& subject);

    std::atomic<std::size_t> size_{0};
    std::atomic<std::size_t> most_{0};
    std::mutex mutex_; // of what follows
    std::size_t most_of_user_ = 0;
    std::size_t most_of_address_ = 0;
    users users_;
    addresses addresses_;
};

} // namespace rowcast::net
