#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>

#include "core/address.hpp"
#include "core/result.hpp"
#include "net/rate.hpp"

namespace rowcast::net {

// How many connections a second come from each address, over all listeners and threads. It is asked once a connection, so a mutex does.
class connect_rates {
public:
    // One more comes from there. Fails with too_many_connects where that is more than `per_second` and what was saved up.
    core::result<void> take(const core::address& from, std::size_t per_second, rate::time now = std::chrono::steady_clock::now());

private:
    std::mutex mutex_; // of what follows
    std::size_t per_second_ = 0;
    std::map<core::address, rate> of_;
};

} // namespace rowcast::net
