#pragma once

#include <string_view>

namespace rowcast::core {

/// The version of this program, as CMakeLists.txt states it: "0.1.0".
std::string_view version() noexcept;

/// The version and, where the build knows it, the commit: "0.1.0 (3f2a91c)". The same sources give the same text.
std::string_view full_version() noexcept;

}
