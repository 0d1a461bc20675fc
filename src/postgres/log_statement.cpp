#include "postgres/log_statement.hpp"

#include <algorithm>
#include <charconv>

#include "core/whole_number.hpp"
#include "postgres/database_error.hpp"

namespace rowcast::postgres {
namespace {

enum column : std::size_t {
    id,
    xid,
    transaction_end,
    at,
    op,
    cause,
    table_name,
    new_row,
    old_row,
    truncated,
    channel,
    event
};

// The first row uses the columns for other things.
enum first_row : std::size_t { now = at, written = op, flushed = cause, lost = table_name, backend = new_row, clock = old_row };

std::optional<std::string> or_nothing(const std::vector<std::string>& list, bool wanted)
{
    return wanted ? std::optional(to_array(list)) : std::nullopt;
}

core::row read_row(const rows& row, std::size_t from, std::string& problem)
{
    if (row.is_null(0, from)) {
        return {};
    }
    auto parsed = core::row::parse(std::string(row.text(0, from)));
    if (parsed.has_error()) {
        problem = parsed.error().message;
        return {};
    }
    return std::move(*parsed);
}

// What a change of its kind must have; the log is a table, and somebody may have written into it.
std::string read_content(core::change& change, const rows& row)
{
    std::string problem;
    if (!core::from_string(row.text(0, op), change.op)) {
        return "unknown op";
    }
    if (!core::from_string(row.text(0, cause), change.cause)) {
        return "unknown cause";
    }
    switch (change.op) {
    case core::operation::insert:
    case core::operation::update:
    case core::operation::remove:
        change.after = read_row(row, new_row, problem);
        change.before = read_row(row, old_row, problem);
        if (problem.empty() && change.op != core::operation::remove && !change.after.present()) {
            return "without its new row";
        }
        if (problem.empty() && change.op != core::operation::insert && !change.before.present()) {
            return "without its old row";
        }
        break;
    case core::operation::message:
        if (row.is_null(0, channel)) {
            return "a message without a channel";
        }
        change.payload = row.is_null(0, new_row) ? "null" : std::string(row.text(0, new_row));
        break;
    case core::operation::truncate:
    case core::operation::resync:
        break;
    }
    if (change.op != core::operation::message && change.table.empty()) {
        return "without a table";
    }
    return problem;
}

} // namespace

// The planner cannot know how little there is to read beyond a snapshot; the index is always right.
const std::string log_statement_settings =
    "set enable_seqscan = off; set enable_bitmapscan = off; set max_parallel_workers_per_gather = 0; "
    "set plan_cache_mode = force_generic_plan; set cursor_tuple_fraction = 1";

// Every place where the order could be lost has its reason:
// - `ends` is sorted, the rows of each transaction come out of the index (xid, id) in order, and the nested loop that
//   LATERAL with OFFSET 0 forces keeps both: a large transaction is never sorted by the server (the reader checks).
// - Transactions that were open in the old snapshot are looked at only where they are finished now, and the others only
//   below the new xmax: the rows of open transactions cost nothing.
// - The filter must not touch `ends`: a transaction's place is that of its true last change.
const std::string log_statement = R"sql(
(select null::bigint, null::xid8, null::bigint, pg_current_snapshot()::text, pg_current_wal_insert_lsn()::text,
        pg_current_wal_flush_lsn()::text,
        case when s.table_oid <> s.tableoid then 'cursor_foreign' when $7::xid8 <= s.expired_xid then 'cursor_expired' end,
        pg_backend_pid()::text, (extract(epoch from clock_timestamp()) * 1000000)::bigint::text, null::boolean, null, null
 from rowcast.settings s)
union all
(select l.id, l.xid, e.transaction_end, to_char(l.at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), l.op, coalesce(l.cause, l.op),
        l.table_name, l.new::text, l.old::text, l.truncated, l.channel, l.event
 from (select t.xid, t.transaction_end
       from (select n.xid, max(n.id) as transaction_end
             from rowcast.change_log n
             where n.xid >= $1::xid8 and n.xid < pg_snapshot_xmax(coalesce($3::pg_snapshot, pg_current_snapshot()))
               and pg_visible_in_snapshot(n.xid, coalesce($3::pg_snapshot, pg_current_snapshot()))
             group by n.xid
             union all
             select finished.xid, (select max(o.id) from rowcast.change_log o where o.xid = finished.xid)
             from (select x as xid from unnest($2::xid8[]) x
                   where pg_visible_in_snapshot(x, coalesce($3::pg_snapshot, pg_current_snapshot())) offset 0) finished) t
       where t.transaction_end >= $4::bigint
         and not (select $7::xid8 <= s.expired_xid or s.table_oid <> s.tableoid from rowcast.settings s)
       order by t.transaction_end offset 0) e
 cross join lateral (
       select * from rowcast.change_log r
       where r.xid = e.xid and r.id > case when e.transaction_end = $4::bigint then $5::bigint else 0 end
         and ($8::text[] is null or r.table_name = any ($8::text[]) or r.channel = any ($9::text[]))
       order by r.id offset 0) l
 limit $6::bigint)
)sql";

const std::string one_change_statement = R"sql(
select l.id, l.xid, (select max(o.id) from rowcast.change_log o where o.xid = l.xid),
       to_char(l.at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), l.op, coalesce(l.cause, l.op),
       l.table_name, l.new::text, l.old::text, l.truncated, l.channel, l.event
from rowcast.change_log l where l.id = $1::bigint
)sql";

std::vector<parameter> log_parameters(const core::cursor& from, const log_filter& filter,
                                      std::optional<std::size_t> limit)
{
    std::vector<std::string> open;
    for (const auto each : from.seen.in_progress) {
        open.push_back(std::to_string(each));
    }
    const core::place beyond = from.inside ? from.inside->last : core::place{};
    const bool filtered = !filter.tables.empty() || !filter.channels.empty();
    return {std::to_string(from.seen.xmax),
            to_array(open),
            from.inside ? parameter(from.inside->target.to_string()) : std::nullopt,
            std::to_string(beyond.transaction_end),
            std::to_string(beyond.id),
            limit ? parameter(std::to_string(*limit)) : std::nullopt,
            std::to_string(from.seen.xmin),
            or_nothing(filter.tables, filtered),
            or_nothing(filter.channels, filtered)};
}

log_moment read_moment(const rows& first)
{
    std::optional<core::error_code> lost;
    if (!first.is_null(0, first_row::lost)) {
        lost = first.text(0, first_row::lost) == "cursor_foreign" ? core::error_code::cursor_foreign : core::error_code::cursor_expired;
    }
    auto snapshot = core::snapshot::parse(first.text(0, first_row::now));
    if (!first.is_null(0, column::id) || snapshot.has_error()) {
        throw database_error("the reading statement's first row is not the moment of reading", "", "");
    }
    return {std::move(*snapshot), parse_lsn(first.text(0, first_row::written)),
            parse_lsn(first.text(0, first_row::flushed)), lost,
            static_cast<int>(first.number(0, first_row::backend)),
            std::chrono::system_clock::time_point(std::chrono::microseconds(first.number(0, first_row::clock)))};
}

core::change read_change(const rows& row, const observe::sink& sink)
{
    core::change change;
    change.where = {row.number(0, transaction_end), row.number(0, id)};
    change.xid = row.number(0, xid);
    change.at = row.text(0, at);
    change.table = row.text(0, table_name);
    change.truncated = row.truth(0, truncated);
    change.channel = row.text(0, channel);
    change.event = row.text(0, event);
    const std::string problem = read_content(change, row);
    if (problem.empty()) {
        return change;
    }
    sink(observe::bad_change{change.table, change.where.id, problem});
    core::change instead;
    instead.where = change.where;
    instead.xid = change.xid;
    instead.at = std::move(change.at);
    instead.table = std::move(change.table);
    instead.op = instead.cause = core::operation::resync;
    instead.event = "bad_change";
    return instead;
}

std::uint64_t parse_lsn(std::string_view text)
{
    const auto slash = std::min(text.find('/'), text.size());
    const auto high = core::whole_number<std::uint64_t>(text.substr(0, slash), 16);
    const auto low = core::whole_number<std::uint64_t>(text.substr(std::min(slash + 1, text.size())), 16);
    if (high && low) {
        return *high << 32 | *low;
    }
    throw database_error("not a place in the WAL: \"" + std::string(text.substr(0, 80)) + "\"", "", "");
}

std::string format_lsn(std::uint64_t lsn)
{
    const auto hex = [](std::uint64_t number) {
        char digits[16];
        return std::string(digits, std::to_chars(digits, digits + sizeof digits, number, 16).ptr);
    };
    return hex(lsn >> 32) + "/" + hex(lsn & 0xFFFFFFFF);
}

} // namespace rowcast::postgres
