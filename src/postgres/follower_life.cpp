#include "postgres/follower_life.hpp"

#include <algorithm>

namespace rowcast::postgres {
namespace {

constexpr std::chrono::milliseconds first_ceiling{100};
constexpr std::chrono::milliseconds last_ceiling{10'000};

std::chrono::milliseconds ceiling(unsigned failures)
{
    return std::min(last_ceiling, first_ceiling * (1 << std::min(failures, 10U)));
}

} // namespace

follower_life::action follower_life::next(event happened, double chance)
{
    if (happened == event::stopped || action_ == action::end) {
        return action_ = action::end;
    }
    if (happened == event::failed) {
        delay_ = std::chrono::milliseconds(static_cast<long>(chance * static_cast<double>(ceiling(failures_).count())));
        ++failures_;
        return action_ = action::back_off;
    }
    switch (action_) {
    case action::back_off:
        return action_ = action::connect;
    case action::connect:
        return action_ = action::prepare;
    case action::prepare:
        return action_ = action::read;
    case action::read:
        failures_ = 0;
        return action_ = action::wait;
    case action::wait:
        return action_ = action::read;
    case action::end:
        break;
    }
    return action_;
}

} // namespace rowcast::postgres
