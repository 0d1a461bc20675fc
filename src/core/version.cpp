#include "core/version.hpp"

namespace rowcast::core {

std::string_view version() noexcept
{
    return ROWCAST_VERSION;
}

std::string_view full_version() noexcept
{
    constexpr std::string_view revision = ROWCAST_REVISION;
    return revision.empty() ? ROWCAST_VERSION : ROWCAST_VERSION " (" ROWCAST_REVISION ")";
}

}
