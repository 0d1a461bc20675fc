#pragma once

#include <cstdint>
#include <string>

namespace rowcast::cli {

// Quantities as people read them.
std::string decimal_text(double value, const char* unit); // "1.2 MB", "34 MB"
std::string size_text(std::uint64_t bytes);
std::string age_text(double seconds);

} // namespace rowcast::cli
