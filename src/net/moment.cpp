#include "net/moment.hpp"

#include <algorithm>

namespace rowcast::net {

moment moment::now()
{
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::steady_clock::now(), std::chrono::duration_cast<std::chrono::seconds>(since).count()};
}

std::chrono::steady_clock::time_point moment::look_for(std::int64_t unix_time) const
{
    return steady + std::chrono::seconds(std::clamp<std::int64_t>(unix_time - unix_seconds, 1, 3600));
}

} // namespace rowcast::net
