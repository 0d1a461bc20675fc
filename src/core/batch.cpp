#include "core/batch.hpp"

namespace rowcast::core {

cursor batch::position_from(const cursor& from) const
{
    if (from.seen.includes(after)) {
        return from;
    }
    if (complete) {
        return {after, std::nullopt};
    }
    const bool taken = changes.empty() || (from.inside && from.inside->target == after && changes.back().where <= from.inside->last);
    return taken ? from : cursor{from.seen, cursor::progress{after, changes.back().where}};
}

std::size_t batch::memory() const
{
    std::size_t sum = sizeof(batch);
    for (const change& each : changes) {
        sum += each.memory();
    }
    return sum;
}

} // namespace rowcast::core
