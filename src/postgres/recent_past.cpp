#include "postgres/recent_past.hpp"

#include "postgres/log_step.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace rowcast::postgres {
namespace {

using clock = std::chrono::steady_clock;

// A change takes itself, its two texts, and a place for each of their fields.
constexpr auto memory_of_a_change = "600 + 2 * (coalesce(pg_column_size(new), 0) + coalesce(pg_column_size(old), 0))";

// The last transaction that is too far back: of which something does not fit, or that retention has removed. Of the
// oldest one in a full sample a part may lie beyond it. (Large rows are stored compressed: the size is a guess.)
const std::string last_beyond = std::string(R"sql(
with newest as materialized (
  select xid, )sql") + memory_of_a_change + R"sql( as bytes
  from rowcast.change_log order by xid desc, id desc limit $1::bigint
), summed as materialized (
  select xid, sum(bytes) over (order by xid desc) as bytes from newest
), beyond as (
  (select xid from summed where bytes > $2::bigint order by xid desc limit 1)
  union all
  (select xid from newest where (select count(*) from newest) = $1::bigint order by xid limit 1)
  union all
  select expired_xid from rowcast.settings
)
select pg_current_snapshot(), (select xid from beyond order by xid desc limit 1)
)sql";

// Everything up to that one is finished, but for what is open now.
std::optional<core::snapshot> starting_point(connection& on, std::size_t changes, std::size_t bytes)
{
    const rows found = on.execute(last_beyond, {std::to_string(changes), std::to_string(bytes)});
    const auto now = core::snapshot::parse(found.text(0, 0));
    if (now.has_error() || found.is_null(0, 1)) {
        return std::nullopt;
    }
    core::snapshot from;
    from.xmax = found.number(0, 1) + 1;
    for (const core::transaction_id open : now->in_progress) {
        if (open < from.xmax) {
            from.in_progress.push_back(open);
        }
    }
    from.xmin = from.in_progress.empty() ? from.xmax : from.in_progress.front();
    return from;
}

enum class obstacle { none, memory, other };

obstacle read_pages(connection& on, const observe::sink& sink, std::size_t bytes, clock::time_point until, recent_past& into)
{
    const log_filter everything;
    page_limits limits;
    limits.expects_many = true;
    log_step step(on, everything, sink, {into.from, std::nullopt}, limits);
    std::size_t sum = 0;
    for (;;) {
        const auto page = step.next();
        if (page.has_error()) {
            return obstacle::other;
        }
        into.pages.push_back(*page);
        sum += (*page)->memory();
        if ((*page)->complete && sum <= bytes) {
            return obstacle::none;
        }
        if (sum > bytes || clock::now() > until) {
            step.suspend();
            return sum > bytes ? obstacle::memory : obstacle::other;
        }
    }
}

std::optional<recent_past> read(connection& on, const observe::sink& sink, const recent_past_limits& most)
{
    const auto until = clock::now() + most.time;
    // Where rows compress well, less fits than was guessed.
    for (std::size_t bytes = most.bytes; clock::now() < until; bytes /= 4) {
        on.run_script("begin read only; set local statement_timeout = " + std::to_string(most.time.count()));
        auto from = starting_point(on, most.changes, bytes);
        on.run_script("commit");
        if (!from) {
            break;
        }
        recent_past found{std::move(*from), {}};
        const obstacle met = read_pages(on, sink, most.bytes, until, found);
        if (met == obstacle::none) {
            return found;
        }
        if (met == obstacle::other) {
            break;
        }
    }
    return std::nullopt;
}

} // namespace

std::optional<recent_past> read_recent_past(connection& on, const observe::sink& sink, const recent_past_limits& most)
{
    try {
        return read(on, sink, most);
    } catch (const connection_lost&) {
        throw;
    } catch (const database_error& error) {
        sink(observe::background_failed{"reading the recent past", error.what()});
        on.run_script("rollback"); // of whichever transaction it was in
        return std::nullopt;
    }
}

} // namespace rowcast::postgres
