#pragma once

#include <chrono>
#include <cstdint>
#include <random>
#include <string_view>

namespace rowcast::torture {

// Chance of one thread, made from the run's seed and who throws, so that a seed gives everybody the same throws again.
// What comes of them depends on the clock all the same.
class dice {
public:
    dice(std::uint64_t seed, std::uint64_t whose)
        : engine_(seed * 1'000'003 + whose)
    {
    }

    // From 0 to `below` - 1.
    unsigned below(unsigned below) { return std::uniform_int_distribution<unsigned>(0, below - 1)(engine_); }

    long between(long least, long most) { return std::uniform_int_distribution<long>(least, most)(engine_); }

    std::chrono::milliseconds ms(long least, long most) { return std::chrono::milliseconds(between(least, most)); }

    bool once_in(unsigned times) { return below(times) == 0; }

private:
    std::mt19937_64 engine_;
};

} // namespace rowcast::torture
