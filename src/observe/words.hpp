#pragma once

#include "observe/observation.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rowcast::observe {

enum class level { trace, debug, info, warn, error, off };

// An observation in words: for the log, and for whoever reads it at three in the morning.
struct line {
    observe::level level = level::info;
    std::string_view event; // the observation's own name: database_lost
    std::string text;       // one sentence, what happened and what follows; may hold any byte that came from outside
    // For the JSON form: names, and JSON texts.
    std::vector<std::pair<std::string_view, std::string>> fields;
};

// Nothing to say (an empty `event`) for what only the metrics are interested in.
line describe(const observation& what);

// `text` with its control characters as \n, \x1b..., so that nobody writes a second line into the log or moves an
// operator's cursor.
std::string printable(std::string_view text);

} // namespace rowcast::observe
