#pragma once

#include <cstddef>

namespace rowcast::bench {

// Raises what this process, and those that it starts, may have open as far as the system lets it. Throws, and says what to
// do, where that is not enough for so many connections.
void allow_connections(std::size_t many);

} // namespace rowcast::bench
