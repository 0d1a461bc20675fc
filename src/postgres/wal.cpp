#include "postgres/wal.hpp"

#include "postgres/log_statement.hpp"

#include <algorithm>
#include <thread>

namespace rowcast::postgres {
namespace {

constexpr std::chrono::microseconds first_between_looks{200};
constexpr int most_forced = 3;

std::uint64_t lsn_of(const rows& answer)
{
    return parse_lsn(answer.text(0, 0));
}

const std::string flushed_now = "select pg_current_wal_flush_lsn()";

// `local`: our own disk is what a crash of this server goes back to. Waiting for synchronous standbys is not our part.
const std::string force = "begin read write; set local synchronous_commit = local; "
                          "select pg_logical_emit_message(true, 'rowcast', ''); commit; ";

} // namespace

bool await_flush(connection& on, std::uint64_t written, std::uint64_t flushed, const observe::sink& sink,
                 std::chrono::microseconds patience)
{
    const auto since = std::chrono::steady_clock::now();
    std::chrono::microseconds waited{0};
    for (auto pause = first_between_looks; flushed < written && waited < patience; pause *= 2) {
        std::this_thread::sleep_for(std::min(pause, patience - waited));
        flushed = lsn_of(on.execute(flushed_now));
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
        flushed = lsn_of(on.run_script(force + flushed_now));
    }
    return time > 0;
}

} // namespace rowcast::postgres
