#include "postgres/wal.hpp"

#include "postgres/log_statement.hpp"

#include <chrono>
#include <thread>

namespace rowcast::postgres {
namespace {

constexpr std::chrono::microseconds patience{2000};
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

void await_flush(connection& on, std::uint64_t written, std::uint64_t flushed, const observe::sink& sink)
{
    const auto until = std::chrono::steady_clock::now() + patience;
    for (auto pause = first_between_looks; flushed < written && std::chrono::steady_clock::now() < until; pause *= 2) {
        std::this_thread::sleep_for(pause);
        flushed = flushed_now(on);
    }
    for (int time = 0; flushed < written; ++time) {
        if (time == most_forced) {
            throw database_error("the WAL is not flushed to " + format_lsn(written) +
                                     " although a commit should have done it "
                                     "(it stands at " +
                                     format_lsn(flushed) + ")",
                                 "", "");
        }
        sink(observe::flush_forced{});
        force(on);
        flushed = flushed_now(on);
    }
}

} // namespace rowcast::postgres
