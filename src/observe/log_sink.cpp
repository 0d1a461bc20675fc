#include "observe/log_sink.hpp"

#include "core/row.hpp"
#include "observe/repetition.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <mutex>
#include <string>
#include <utility>

namespace rowcast::observe {

namespace {

spdlog::level::level_enum to_spdlog(level value)
{
    switch (value) {
    case level::trace:
        return spdlog::level::trace;
    case level::debug:
        return spdlog::level::debug;
    case level::info:
        return spdlog::level::info;
    case level::warn:
        return spdlog::level::warn;
    case level::error:
        return spdlog::level::err;
    case level::off:
        break;
    }
    return spdlog::level::off;
}

// Whoever connects decides how often these happen; the metrics count all of them.
bool repeats(std::string_view event)
{
    return event == "database_lost" || event == "request_refused" || event == "bad_change" ||
           event == "background_failed" || event == "keys_unreadable" || event == "set_failed" || event == "message_dropped";
}

constexpr unsigned repeats_most = 5;
constexpr std::chrono::seconds repeats_interval{60};

std::string json_of(const line& said, std::uint64_t left_out)
{
    std::string out = "\"event\":";
    core::append_quoted(out, said.event);
    out += ",\"message\":";
    core::append_quoted(out, said.text);
    for (const auto& [name, value] : said.fields) {
        out += ",";
        core::append_quoted(out, name);
        out += ":" + value;
    }
    if (left_out > 0) {
        out += ",\"left_out\":" + std::to_string(left_out);
    }
    return out;
}

std::string text_of(const line& said, std::uint64_t left_out)
{
    std::string out = printable(said.text);
    if (left_out > 0) {
        out += " (" + std::to_string(left_out) + " more like this were not written)";
    }
    return out;
}

} // namespace

struct log_sink::state {
    state(std::FILE* to)
        : output("rowcast", std::make_shared<spdlog::sinks::stdout_sink_base<spdlog::details::console_nullmutex>>(to))
    {
        output.flush_on(spdlog::level::trace);
        // The default would write to stderr, in a form of its own.
        output.set_error_handler([](const std::string&) {});
    }

    void set(level wanted, log_format wanted_format)
    {
        least = wanted;
        format = wanted_format;
        const bool json = format == log_format::json;
        output.set_level(to_spdlog(least));
        output.set_formatter(std::make_unique<spdlog::pattern_formatter>(
            json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%v})" : "%Y-%m-%d %H:%M:%S.%e %-7l %v",
            json ? spdlog::pattern_time_type::utc : spdlog::pattern_time_type::local));
    }

    std::mutex mutex;
    spdlog::logger output;
    level least = level::info;
    log_format format = log_format::text;
    repetition repeated{repeats_most, repeats_interval};
};

log_sink::log_sink(level least, log_format format, std::FILE* to)
    : state_(std::make_unique<state>(to))
{
    state_->set(least, format);
}

log_sink::~log_sink() = default;

void log_sink::set(level least, log_format format)
{
    const std::lock_guard lock{state_->mutex};
    state_->set(least, format);
}

void log_sink::operator()(const observation& what)
{
    const line said = describe(what);
    if (said.event.empty()) {
        return; // every message to every client is observed
    }
    const std::lock_guard lock{state_->mutex};
    if (said.level < state_->least) {
        return;
    }
    std::uint64_t left_out = 0;
    if (repeats(said.event)) {
        const auto admitted = state_->repeated.admit(said.event, repetition::clock::now());
        if (!admitted) {
            return;
        }
        left_out = *admitted;
    }
    const std::string text = state_->format == log_format::json ? json_of(said, left_out) : text_of(said, left_out);
    // As an argument, not as the format: braces in it are text.
    state_->output.log(to_spdlog(said.level), spdlog::string_view_t{text});
}

std::optional<level> parse_level(std::string_view name)
{
    constexpr std::pair<std::string_view, level> names[] = {{"trace", level::trace}, {"debug", level::debug},
                                                            {"info", level::info},   {"warn", level::warn},
                                                            {"error", level::error}, {"off", level::off}};
    for (const auto& [known, value] : names) {
        if (name == known) {
            return value;
        }
    }
    return std::nullopt;
}

std::optional<log_format> parse_log_format(std::string_view name)
{
    if (name == "text") {
        return log_format::text;
    }
    if (name == "json") {
        return log_format::json;
    }
    return std::nullopt;
}

} // namespace rowcast::observe
