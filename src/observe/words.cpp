#include "observe/words.hpp"

#include "core/counted.hpp"
#include "core/row.hpp"

#include <spdlog/fmt/fmt.h>

#include <type_traits>

namespace rowcast::observe {

namespace {

using core::counted;

std::string quoted(std::string_view text)
{
    std::string out;
    core::append_quoted(out, text);
    return out;
}

template <class Number>
    requires std::is_arithmetic_v<Number>
std::string quoted(Number value)
{
    return fmt::to_string(value);
}

std::string seconds(std::chrono::milliseconds time)
{
    return fmt::format("{:.1f} s", static_cast<double>(time.count()) / 1000);
}

std::string_view who(std::string_view subject)
{
    return subject.empty() ? "anonymous" : subject;
}

// PostgreSQL's own names (its manual, appendix A) of what sets meet most.
std::string_view condition_of(std::string_view sqlstate)
{
    return sqlstate == "22P02"   ? "invalid_text_representation"
           : sqlstate == "22003" ? "numeric_value_out_of_range"
           : sqlstate == "22007" ? "invalid_datetime_format"
           : sqlstate == "22008" ? "datetime_field_overflow"
           : sqlstate == "22012" ? "division_by_zero"
                                 : "";
}

struct speaker {
    line operator()(const database_connected& it) const
    {
        return {level::info,
                "database_connected",
                fmt::format("connected to PostgreSQL {}, reading change log {} on timeline {}", it.server_version,
                            it.log_identity, it.timeline),
                {{"server_version", quoted(it.server_version)},
                 {"log_identity", quoted(it.log_identity)},
                 {"timeline", quoted(it.timeline)}}};
    }

    line operator()(const database_lost& it) const
    {
        return {level::warn,
                "database_lost",
                fmt::format(
                    "no connection to PostgreSQL ({}); trying again in {}. Clients stay connected and miss nothing.",
                    it.reason, seconds(it.retry_in)),
                {{"reason", quoted(it.reason)}, {"retry_in_ms", quoted(it.retry_in.count())}}};
    }

    line operator()(const log_renewed& it) const
    {
        return {
            level::warn,
            "log_renewed",
            fmt::format("the change log was begun anew: {}. Every client is told to read its rows again.", it.reason),
            {{"reason", quoted(it.reason)}}};
    }

    line operator()(const batch_read& it) const
    {
        if (it.changes == 0) {
            return {};
        }
        return {level::debug,
                "batch_read",
                fmt::format("read {} ({} bytes) in {} us", counted(it.changes, "change"), it.bytes, it.took.count()),
                {{"changes", quoted(it.changes)}, {"bytes", quoted(it.bytes)}, {"took_us", quoted(it.took.count())}}};
    }

    line operator()(const flush_forced& it) const
    {
        return {level::trace,
                "flush_forced",
                fmt::format("flushed the write-ahead log, so that asynchronous commits can be delivered, after {} us", it.waited.count()),
                {{"waited_us", quoted(it.waited.count())}}};
    }

    line operator()(const doorbell_changed& it) const
    {
        return {level::debug,
                "doorbell_changed",
                fmt::format("doorbell: {}", it.state == "letting_go" ? "letting go" : it.state),
                {{"state", quoted(it.state)}}};
    }

    line operator()(const log_expired& it) const
    {
        return {level::debug,
                "log_expired",
                fmt::format("removed {} from the change log (retention)", counted(it.removed, "old change")),
                {{"removed", quoted(it.removed)}}};
    }

    line operator()(const partitions_refreshed& it) const
    {
        return {level::info,
                "partitions_refreshed",
                fmt::format("refreshed the triggers of {}: {} {}", it.table, it.action, it.detail),
                {{"table", quoted(it.table)}, {"action", quoted(it.action)}, {"detail", quoted(it.detail)}}};
    }

    line operator()(const bad_change& it) const
    {
        return {
            level::error,
            "bad_change",
            fmt::format(
                "row {} of rowcast.change_log (table {}) cannot be read: {}. Subscribers of the table read it again.",
                it.id, it.table, it.reason),
            {{"table", quoted(it.table)}, {"id", quoted(it.id)}, {"reason", quoted(it.reason)}}};
    }

    line operator()(const rule_misfit& it) const
    {
        return {it.error ? level::error : level::warn,
                "rule_misfit",
                fmt::format("{}{}{}{}", it.where, it.where.empty() ? "" : ": ", it.problem,
                            it.error ? ". Until then the rule gives nothing." : ""),
                {{"where", quoted(it.where)}, {"problem", quoted(it.problem)}}};
    }

    line operator()(const keys_read& it) const
    {
        return {level::info,
                "keys_read",
                fmt::format("read {} for tokens from {}", counted(it.count, "key"), it.where),
                {{"where", quoted(it.where)}, {"count", quoted(it.count)}}};
    }

    line operator()(const keys_unreadable& it) const
    {
        return {level::warn,
                "keys_unreadable",
                fmt::format("no keys for tokens from {} ({}); {}, trying again in {}", it.where, it.reason,
                            it.has_old ? "the old ones stay" : "tokens that they signed have to wait", seconds(it.retry_in)),
                {{"where", quoted(it.where)}, {"reason", quoted(it.reason)}, {"retry_in_ms", quoted(it.retry_in.count())}}};
    }

    line operator()(const revocations_read& it) const
    {
        return {level::info,
                "revocations_read",
                fmt::format("{}, {} of them new", counted(it.total, "revocation"), it.fresh),
                {{"fresh", quoted(it.fresh)}, {"total", quoted(it.total)}}};
    }

    line operator()(const administered& it) const
    {
        return {level::info,
                "administered",
                fmt::format("an operator at {} asked to {}: {}", it.peer, it.what, it.outcome),
                {{"peer", quoted(it.peer)}, {"what", quoted(it.what)}, {"outcome", quoted(it.outcome)}}};
    }

    line operator()(const configuration_reloaded& it) const
    {
        const std::string names = fmt::format("{}", fmt::join(it.needs_restart, ", "));
        return {names.empty() ? level::info : level::warn,
                "configuration_reloaded",
                names.empty() ? "the configuration was read again"
                              : fmt::format("the configuration was read again; what needs a restart stays as it was: {}", names),
                {{"needs_restart", quoted(names)}}};
    }

    line operator()(const rollout_stands& it) const
    {
        const std::string_view until = it.as_configured ? "" : ". The configuration says otherwise, and holds again after the next reload or restart";
        return {it.force_polling ? level::warn : level::info,
                "rollout_stands",
                (it.force_polling ? std::string("polling is forced: nobody is offered WebSocket or SSE")
                                  : fmt::format("WebSocket is offered to {} % of users and SSE to {} %; {} always, {} never", it.websocket,
                                                it.sse, it.opt_in, it.opt_out)) + std::string(until),
                {{"websocket", quoted(it.websocket)},
                 {"sse", quoted(it.sse)},
                 {"force_polling", it.force_polling ? "true" : "false"},
                 {"opt_in", quoted(it.opt_in)},
                 {"opt_out", quoted(it.opt_out)},
                 {"as_configured", it.as_configured ? "true" : "false"}}};
    }

    line operator()(const reload_refused& it) const
    {
        const std::string all = fmt::format("{}", fmt::join(it.problems, "; "));
        return {level::error,
                "reload_refused",
                fmt::format("the configuration was not read again, the old one stays: {}", all),
                {{"problems", quoted(all)}}};
    }

    line operator()(const background_failed& it) const
    {
        return {level::warn,
                "background_failed",
                fmt::format("{} failed and will be tried again: {}", it.what, it.reason),
                {{"what", quoted(it.what)}, {"reason", quoted(it.reason)}}};
    }

    line operator()(const listening& it) const
    {
        const std::string address = it.address.find(':') != std::string::npos ? "[" + it.address + "]" : it.address;
        const std::string where = address.starts_with('/') ? "unix:" + address : fmt::format("{}:{}", address, it.port);
        return {level::info,
                "listening",
                fmt::format("listening on {} for {}", where, it.for_whom),
                {{"address", quoted(it.address)}, {"port", quoted(it.port)}, {"for", quoted(it.for_whom)}}};
    }

    line operator()(const sessions_limited& it) const
    {
        return {level::warn,
                "sessions_limited",
                fmt::format("limits.sessions is {}, but there can be {}: the process may have {} file descriptors "
                            "(ulimit -n, LimitNOFILE=)",
                            it.wanted, it.possible, it.descriptors),
                {{"wanted", quoted(it.wanted)}, {"possible", quoted(it.possible)}, {"descriptors", quoted(it.descriptors)}}};
    }

    line operator()(const session_opened& it) const
    {
        return {
            level::debug,
            "session_opened",
            fmt::format("session {} opened over {} by {} from {}", it.session, it.transport, who(it.subject), it.from),
            {{"transport", quoted(it.transport)},
             {"session", quoted(it.session)},
             {"subject", quoted(it.subject)},
             {"from", quoted(it.from)}}};
    }

    line operator()(const session_closed& it) const
    {
        return {level::debug,
                "session_closed",
                fmt::format("session {} of {} over {} closed: {} {}", it.session, who(it.subject), it.transport, it.code, it.reason),
                {{"transport", quoted(it.transport)},
                 {"session", quoted(it.session)},
                 {"subject", quoted(it.subject)},
                 {"code", quoted(it.code)},
                 {"reason", quoted(it.reason)}}};
    }

    line operator()(const request_refused& it) const
    {
        line said{level::info, "request_refused", "refused a request over " + it.transport,
                  {{"transport", quoted(it.transport)}, {"code", quoted(it.code)}, {"detail", quoted(it.detail)}}};
        if (!it.session.empty()) {
            said.text += " in session " + it.session;
            said.fields.emplace_back("session", quoted(it.session));
        }
        if (!it.subject.empty()) {
            said.text += " by " + it.subject;
            said.fields.emplace_back("subject", quoted(it.subject));
        }
        if (!it.from.empty()) {
            said.text += " from " + it.from;
            said.fields.emplace_back("from", quoted(it.from));
        }
        said.text += fmt::format(": {} ({})", it.code, it.detail);
        return said;
    }

    line operator()(const events_sent&) const { return {}; }

    line operator()(const request_made&) const { return {}; }

    line operator()(const polled&) const { return {}; }

    line operator()(const came_back&) const { return {}; }

    line operator()(const changes_matched&) const { return {}; }

    line operator()(const fell_behind& it) const
    {
        return {level::debug,
                "fell_behind",
                fmt::format("session {} reads more slowly than it is sent to; it catches up from the change log",
                            it.session),
                {{"session", quoted(it.session)}}};
    }

    line operator()(const log_read& it) const
    {
        return {level::debug,
                "log_read",
                fmt::format("read {} in {} from the change log for clients that catch up",
                            counted(it.changes, "change"), counted(it.pages, "page")),
                {{"changes", quoted(it.changes)}, {"pages", quoted(it.pages)}}};
    }

    line operator()(const log_pass& it) const
    {
        return {level::debug,
                "log_pass",
                fmt::format("reading the change log for {}", counted(it.readings, "client")),
                {{"readings", quoted(it.readings)}}};
    }

    line operator()(const sets_read& it) const
    {
        return {level::debug,
                "sets_read",
                fmt::format("sets: {} loaded, {} read again, {} of them changed; {} held", it.loaded, it.evaluated, it.changed,
                            it.held),
                {{"loaded", quoted(it.loaded)},
                 {"evaluated", quoted(it.evaluated)},
                 {"changed", quoted(it.changed)},
                 {"held", quoted(it.held)}}};
    }

    line operator()(const message_dropped& it) const
    {
        return {level::warn,
                "message_dropped",
                fmt::format("a message of the channel '{}' is dropped: as many as may be wait for a large transaction to be read to its end. Messages of NOTIFY "
                            "are kept nowhere; what must not be lost is for rowcast.publish()", it.channel),
                {{"channel", quoted(it.channel)}}};
    }

    line operator()(const set_failed& it) const
    {
        return {level::warn,
                "set_failed",
                fmt::format("the set '{}' cannot be read: {}", it.name, it.reason),
                {{"name", quoted(it.name)}, {"reason", quoted(it.reason)}}};
    }

    line operator()(const set_misfit& it) const
    {
        const std::string_view condition = condition_of(it.sqlstate);
        return {level::warn,
                "set_misfit",
                fmt::format("the set '{}' gives nothing where its query meets a value that PostgreSQL cannot take: SQLSTATE {}{}{}. It is a claim that is "
                            "no value of its parameter's type, or what stands in a row; `rowcast explain` for a user who misses something quotes it",
                            it.name, it.sqlstate, condition.empty() ? "" : ", ", condition),
                {{"name", quoted(it.name)}, {"sqlstate", quoted(it.sqlstate)}}};
    }

    line operator()(const rows_read& it) const
    {
        return {it.hidden > 0 ? level::error : level::debug,
                "rows_read",
                fmt::format("read {} for a client in {:.3f} s after waiting for {:.3f} s{}{}", counted(it.rows, "row"),
                            std::chrono::duration<double>(it.took).count(),
                            std::chrono::duration<double>(it.waited).count(),
                            it.failure.empty() ? "" : ", then failed: " + it.failure,
                            it.hidden == 0 ? "" : fmt::format("; {} more were not theirs, which SQL should have known", it.hidden)),
                {{"rows", quoted(it.rows)}, {"hidden", quoted(it.hidden)}, {"failure", quoted(it.failure)}}};
    }

    line operator()(const row_readings_stand&) const { return {}; }

    line operator()(const clients_stand&) const { return {}; }

    line operator()(const queues_stand&) const { return {}; }

    line operator()(const database_stands&) const { return {}; }

    line operator()(const stopping& it) const
    {
        return {level::info,
                "stopping",
                fmt::format("{}: telling the clients and stopping", it.signal),
                {{"signal", quoted(it.signal)}}};
    }

    line operator()(const stopped&) const { return {level::info, "stopped", "stopped", {}}; }
};

} // namespace

line describe(const observation& what)
{
    return std::visit(speaker{}, what);
}

std::string printable(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    for (const char each : text) {
        const auto code = static_cast<unsigned char>(each);
        if (each == '\n') {
            out += "\\n";
        } else if (code < 0x20 || code == 0x7f) {
            out += fmt::format("\\x{:02x}", code);
        } else {
            out += each;
        }
    }
    return out;
}

} // namespace rowcast::observe
