#pragma once

#include "observe/observation.hpp"
#include "observe/words.hpp"

#include <cstdio>
#include <memory>
#include <optional>
#include <string_view>

namespace rowcast::observe {

enum class log_format { text, json };

std::optional<level> parse_level(std::string_view name);
std::optional<log_format> parse_log_format(std::string_view name);

// The log: one line an observation, to stderr. Text is for people ("2026-11-21 10:00:00.123 warning  ..."), JSON for
// collectors ({"time":...,"level":...,"event":"database_lost","message":...,"reason":...}).
// Any thread may call it; a line is written whole. It does not throw: a log that cannot be written stops nothing.
class log_sink {
public:
    explicit log_sink(level least = level::info, log_format format = log_format::text, std::FILE* to = stderr);
    ~log_sink();

    void operator()(const observation& what);

    // From the next line on (SIGHUP).
    void set(level least, log_format format);

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace rowcast::observe
