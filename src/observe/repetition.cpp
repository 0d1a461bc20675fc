#include "observe/repetition.hpp"

#include <utility>

namespace rowcast::observe {

std::optional<std::uint64_t> repetition::admit(std::string_view kind, clock::time_point now)
{
    const auto [found, added] = kinds_.try_emplace(kind, count{now});
    count& it = found->second;
    if (!added && now - it.since >= interval_) {
        it.since = now;
        it.written = 0;
    }
    if (it.written >= most_) {
        ++it.left_out;
        return std::nullopt;
    }
    ++it.written;
    return std::exchange(it.left_out, 0);
}

} // namespace rowcast::observe
