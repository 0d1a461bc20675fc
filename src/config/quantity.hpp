#pragma once

#include "config/configuration.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rowcast::config {

// What has a unit in the file. Each is nothing where the text is not of its form, or too large to count.

// 500ms 5s 10m 24h 7d
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// 512B 64KB 1MB 2GB 1TB. As in PostgreSQL's own settings, 1KB is 1024 bytes; the case of the unit does not matter.
std::optional<std::uint64_t> parse_size(std::string_view text);

// 127.0.0.1:8080, [::1]:8080 or unix:/run/rowcast/bridge.sock; an address, not a name, since a name may stand for several. Port 0:
// any free one.
std::optional<endpoint> parse_endpoint(std::string_view text);
std::string to_string(const endpoint& one);

// A file's mode as chmod takes it: 660, 0666.
std::optional<unsigned> parse_mode(std::string_view text);

} // namespace rowcast::config
