#include "core/change.hpp"

#include <algorithm>
#include <array>

namespace rowcast::core {
namespace {

constexpr std::array<std::string_view, 6> names = {"INSERT", "UPDATE", "DELETE", "TRUNCATE", "MESSAGE", "RESYNC"};

} // namespace

std::string_view to_string(operation op)
{
    return names[static_cast<std::size_t>(op)];
}

bool from_string(std::string_view text, operation& op)
{
    const auto found = std::find(names.begin(), names.end(), text);
    if (found == names.end()) {
        return false;
    }
    op = static_cast<operation>(found - names.begin());
    return true;
}

std::size_t change::memory() const
{
    return sizeof(change) + after.memory() + before.memory() + payload.capacity();
}

} // namespace rowcast::core
