#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rowcast::core {

// "1 change", "2 changes"
inline std::string counted(std::uint64_t count, std::string_view noun)
{
    return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

} // namespace rowcast::core
