#include "postgres/row_reader.hpp"

#include "policy/predicate_sql.hpp"
#include "postgres/log_statement.hpp"
#include "postgres/wal.hpp"

#include <type_traits>
#include <utility>

namespace rowcast::postgres {
namespace {

using core::error_code;
using core::failure;

constexpr std::size_t rows_a_fetch = 500;
constexpr std::size_t largest_row = 8 * 1024 * 1024; // of JSON, as in the log

// What a value's JSON depends on besides the session's settings (connection_options.cpp), as rowcast.writer_settings has
// it; and plans for all rows, not for the first ones.
const std::string reading_settings = "set local lc_monetary = 'C'; set local cursor_tuple_fraction = 1";

parameter to_parameter(const policy::sql_parameter& from)
{
    const auto* const value = std::get_if<std::string>(&from);
    return value ? *value : to_array(std::get<1>(from));
}

std::string list(const std::vector<std::string>& names, const std::string& before)
{
    std::string text;
    for (const std::string& each : names) {
        text += (text.empty() ? "" : ", ") + before + policy::quote_name(each);
    }
    return text;
}

} // namespace

// `c.*` and `k.*` always mean the whole row, whatever its columns are called. OFFSET 0 keeps PostgreSQL from writing
// the JSON once for each time that it is mentioned.
row_statement make_row_statement(const policy::visibility& of, std::optional<std::size_t> most)
{
    const policy::table& over = of.over();
    policy::sql_text where = condition_sql(of);
    std::vector<std::string> columns;
    for (const policy::column& each : over.columns) {
        columns.push_back(each.name);
    }
    row_statement made;
    made.text = "select case when b.fits then b.body end, "
                "case when not b.fits then (select row_to_json(k.*) from (select " +
                list(over.key, "c.") + ") k) end from (select " + list(columns, "") + " from " + over.name + " where " +
                where.text +
                (most ? " order by " + list(over.key, "") + " limit " + std::to_string(*most) : std::string()) +
                ") c, lateral (select a.body, octet_length(a.body) <= " + std::to_string(largest_row) +
                " from (select row_to_json(c.*)::text offset 0) a (body) offset 0) b (body, fits)";
    for (const policy::sql_parameter& each : where.parameters) {
        made.parameters.push_back(to_parameter(each));
    }
    return made;
}

row_reader::row_reader(connection_options bridge, connection_options reader, const observe::sink& sink,
                       const event* stop)
    : bridge_options_(std::move(bridge))
    , reader_options_(std::move(reader))
    , sink_(sink)
    , stop_(stop)
{
    bridge_options_.purpose = "rowcast snapshots";
    reader_options_.purpose = "rowcast rows";
    reader_options_.read_only = true;
}

// PostgreSQL cancels (57014) what takes longer than statement_timeout. A data exception (class 22) comes of a value that it cannot read,
// though we can: before 14 a `numeric` was never infinite.
template <class Action>
auto row_reader::attempt(const std::string& what, Action action) -> core::result<decltype(action())>
{
    const auto failed = [this](error_code code) {
        open_ = fetching_ = false;
        reader_.reset();
        bridge_.reset();
        return failure{code, code == error_code::unavailable  ? "the rows cannot be read now; the bridge's log says why"
                             : code == error_code::bad_filter ? "this version of PostgreSQL has no such value as one that is compared with"
                                                              : std::string(core::describe(code).sentence)};
    };
    try {
        if constexpr (std::is_void_v<decltype(action())>) {
            action();
            return {};
        } else {
            return action();
        }
    } catch (const interrupted&) {
        return failed(error_code::shutdown);
    } catch (const std::exception& error) {
        sink_(observe::background_failed{what, error.what()});
        const auto* said = dynamic_cast<const database_error*>(&error);
        const std::string_view state = said ? std::string_view(said->sqlstate()) : "";
        return failed(state == "57014" ? error_code::rows_timeout : state.starts_with("22") ? error_code::bad_filter : error_code::unavailable);
    }
}

core::result<core::snapshot> row_reader::open(const log_identity& expected)
{
    close();
    const bool was_idle = bridge_ || reader_; // and may have lost its connections
    const auto take = [&] { return attempt("reading rows", [&] { return take_snapshot(expected); }); };
    auto taken = take();
    return !taken && was_idle && taken.error().code == error_code::unavailable ? take() : std::move(taken);
}

core::snapshot row_reader::take_snapshot(const log_identity& expected)
{
    if (!bridge_) {
        bridge_.emplace(bridge_options_, stop_);
        identity_ = claim_identity(*bridge_);
    }
    if (!identity_->same_log(expected)) {
        throw database_error(bridge_->place() + " has another change log than the bridge follows", "",
                             "This passes when the bridge has noticed a fail-over or a restore.");
    }
    if (!reader_) {
        reader_.emplace(reader_options_, stop_);
    }
    bridge_->run_script("begin isolation level repeatable read read only");
    const rows taken = bridge_->execute("select pg_export_snapshot(), pg_current_snapshot()::text, "
                                        "pg_current_wal_insert_lsn()::text, pg_current_wal_flush_lsn()::text");
    auto as_of = core::snapshot::parse(taken.text(0, 1));
    if (!as_of) {
        throw database_error("PostgreSQL gave a snapshot that cannot be read", "", "");
    }
    reader_->run_script("begin isolation level repeatable read read only; set transaction snapshot '" +
                        std::string(taken.text(0, 0)) + "'; " + reading_settings);
    bridge_->run_script("commit");
    await_flush(*bridge_, parse_lsn(taken.text(0, 2)), parse_lsn(taken.text(0, 3)), sink_);
    open_ = true;
    return std::move(*as_of);
}

core::result<void> row_reader::select(const policy::visibility& of, std::optional<std::size_t> most)
{
    table_ = of.over().name;
    return attempt("reading the rows of " + table_, [&] {
        const row_statement wanted = make_row_statement(of, most);
        reader_->run_script("close all");
        reader_->execute("declare rowcast_rows no scroll cursor for " + wanted.text, wanted.parameters);
    });
}

core::result<std::optional<row_reader::row>> row_reader::next()
{
    return attempt("reading the rows of " + table_, [&] { return next_row(); });
}

std::optional<row_reader::row> row_reader::next_row()
{
    for (;;) {
        if (!fetching_) {
            reader_->begin("fetch " + std::to_string(rows_a_fetch) + " from rowcast_rows");
            fetching_ = true;
            fetched_ = 0;
        }
        if (const auto found = reader_->next_row()) {
            ++fetched_;
            const bool truncated = found->is_null(0, 0);
            auto columns = core::row::parse(std::string(found->text(0, truncated ? 1 : 0)));
            if (!columns) {
                throw database_error("a row is not the JSON that was asked for: " + columns.error().message, "", "");
            }
            return row{std::move(*columns), truncated};
        }
        fetching_ = false;
        if (fetched_ < rows_a_fetch) {
            return std::nullopt;
        }
    }
}

void row_reader::close()
{
    if (!std::exchange(open_, false)) {
        return;
    }
    try {
        if (std::exchange(fetching_, false)) {
            reader_->skip_rows();
        }
        reader_->run_script("rollback");
    } catch (const std::exception&) { // the next reading connects anew, and says what is wrong if it still is
        reader_.reset();
    }
}

} // namespace rowcast::postgres
