#include "cli/quantity_text.hpp"

#include <array>
#include <cstdio>

namespace rowcast::cli {

std::string decimal_text(double value, const char* unit)
{
    std::array<char, 64> buffer{};
    std::snprintf(buffer.data(), buffer.size(), value < 10 ? "%.1f %s" : "%.0f %s", value, unit);
    return buffer.data();
}

std::string size_text(std::uint64_t bytes)
{
    constexpr std::array units{"bytes", "KB", "MB", "GB", "TB"};
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < units.size(); ++unit) {
        value /= 1024;
    }
    return unit == 0 ? std::to_string(bytes) + " bytes" : decimal_text(value, units[unit]);
}

std::string age_text(double seconds)
{
    return seconds < 120    ? decimal_text(seconds, "s")
           : seconds < 7200 ? decimal_text(seconds / 60, "min")
                            : decimal_text(seconds / 3600, "h");
}

} // namespace rowcast::cli
