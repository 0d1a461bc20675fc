#pragma once

#include <string_view>

namespace rowcast::core {

/// The version of this program, as CMakeLists.txt states it: "0.1.0".
std::string_view version() noexcept;

}
