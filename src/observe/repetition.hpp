#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

namespace rowcast::observe {

// Keeps a log readable while something goes wrong a thousand times a second: of each kind of line, so many an interval,
// and then how many were left out. Pure: the time is given.
class repetition {
public:
    using clock = std::chrono::steady_clock;

    repetition(unsigned most, std::chrono::seconds interval)
        : most_(most)
        , interval_(interval)
    {
    }

    // Nothing: leave this line out. Otherwise write it, and say that so many before it were left out.
    // `kind` must be one of a few literals: it is kept.
    std::optional<std::uint64_t> admit(std::string_view kind, clock::time_point now);

private:
    struct count {
        clock::time_point since;
        unsigned written = 0;
        std::uint64_t left_out = 0;
    };

    unsigned most_;
    std::chrono::seconds interval_;
    std::map<std::string_view, count> kinds_;
};

} // namespace rowcast::observe
