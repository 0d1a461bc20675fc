#include "postgres/wal.hpp"

#include "postgres/log_statement.hpp"

#include <algorithm>
#include <thread>

namespace rowcast::postgres {
namespace {

constexpr std::chrono::microseconds first_between_looks{200};
constexpr int most_forced = 3;

std::uint64_t flushed_now(connection& on)
{
    return parse_lsn(on.execute("select pg_current_wal_flush_lsn()").text(0, 0));
}

// `local`: our own disk is what a crash of this server goes back to. Waiting for synchronous standbys is not our part.
void force(connection& on)
{
    on.run_script("begin read write; set local synchronous_commit = local; "
                  "select pg_logical_emit_message(true, 'rowcast', ''); commit");
}

} // namespace

bool await_flush(connection& on, std::uint64_t written, std::uint64_t flushed, const observe::sink& sink,
                 std::chrono::microseconds patience)
{
    const auto since = std::chrono::steady_clock::now();
    std::chrono::microseconds waited{0};
    for (auto pause = first_between_looks; flushed < written && waited < patience; pause *= 2) {
        std::this_thread::sleep_for(std::min(pause, patience - waited));
        flushed = flushed_now(on);
        waited = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - since);
    }
    int time = 0;
    for (; flushed < written; ++time) {
        if (time == most_forced) {
            throw database_error("the WAL is not flushed to " + format_lsn(written) +
                                     " although a commit should have done it "
                                     "(it stands at " +
                                     format_lsn(flushed) + ")",
                                 "", "");
        }
        sink(observe::flush_forced{waited});
        force(on);
        flushed = flushed_now(on);
    }
    return time > 0;
}

} // namespace rowcast::postgres
