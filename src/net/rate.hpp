#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace rowcast::net {

// So many a second, with a burst saved up: a token bucket. One thread.
class rate {
public:
    using time = std::chrono::steady_clock::time_point;

    rate(std::size_t per_second, std::size_t burst) : per_second_(static_cast<double>(per_second)), burst_(static_cast<double>(burst)), left_(burst_) {}

    // Whether one more is within the rate; it counts.
    bool take(time now)
    {
        if (last_ != time{}) {
            left_ = std::min(burst_, left_ + per_second_ * std::chrono::duration<double>(now - last_).count());
        }
        last_ = now;
        if (left_ < 1) {
            return false;
        }
        left_ -= 1;
        return true;
    }

    // Nothing was taken for so long that it is as good as new.
    bool is_full(time now) const
    {
        return left_ + per_second_ * std::chrono::duration<double>(now - last_).count() >= burst_;
    }

private:
    double per_second_;
    double burst_;
    double left_;
    time last_{};
};

} // namespace rowcast::net
