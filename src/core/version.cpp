#include "core/version.hpp"

namespace rowcast::core {

std::string_view version() noexcept
{
    return ROWCAST_VERSION;
}

}
