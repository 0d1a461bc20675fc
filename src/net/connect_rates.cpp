#include "net/connect_rates.hpp"

#include <utility>

namespace rowcast::net {
namespace {

constexpr std::size_t most_addresses = 10'000;
constexpr int burst_seconds = 4;

} // namespace

core::result<void> connect_rates::take(const core::address& from, std::size_t per_second, rate::time now)
{
    const std::lock_guard lock(mutex_);
    if (std::exchange(per_second_, per_second) != per_second) {
        of_.clear(); // another limit since the last time
    }
    if (of_.size() >= most_addresses) {
        std::erase_if(of_, [&](const auto& entry) { return entry.second.is_full(now); });
        if (of_.size() >= most_addresses) {
            of_.clear(); // a flood from everywhere: this limit is not the one that stops it
        }
    }
    if (!of_.try_emplace(from.owner(), per_second, per_second * burst_seconds).first->second.take(now)) {
        return core::failure{core::error_code::too_many_connects,
                             "more than " + std::to_string(per_second) + " connections a second from " + from.to_string()};
    }
    return {};
}

} // namespace rowcast::net
