#pragma once

#include "observe/observation.hpp"
#include "postgres/connection.hpp"

#include <chrono>
#include <cstdint>

namespace rowcast::postgres {

// How long others have to flush it, as the commits of the application do that wait for the disk.
inline constexpr std::chrono::microseconds flush_patience{2000};

// Returns when the WAL up to `written` is on disk, `flushed` being what was already. After a crash PostgreSQL hands out
// again the transaction ids whose WAL was lost, and a snapshot that calls them finished would hide what is committed
// under them: so nothing may be delivered earlier. Waits for a flush by others as long as it has patience, then causes one.
// Returns whether it had to.
bool await_flush(connection& on, std::uint64_t written, std::uint64_t flushed, const observe::sink& sink,
                 std::chrono::microseconds patience = flush_patience);

} // namespace rowcast::postgres
