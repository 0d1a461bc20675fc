#include "core/batch.hpp"

namespace rowcast::core {

std::size_t batch::memory() const
{
    std::size_t sum = sizeof(batch);
    for (const change& each : changes) {
        sum += each.memory();
    }
    return sum;
}

} // namespace rowcast::core
