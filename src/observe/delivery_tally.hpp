#pragma once

#include <prometheus/client_metric.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace rowcast::observe {

// What was delivered, and how long it took: every message to every client, from every thread. Without locks, and with a share for each
// thread: what two write to is slower than all the rest of it. What is collected meanwhile may lack in one sum what another has already.
class delivery_tally {
public:
    void sent(std::size_t events, std::size_t bytes)
    {
        share& mine = own();
        add(mine.events, events);
        add(mine.bytes, bytes);
    }

    void took(std::chrono::duration<double> time)
    {
        share& mine = own();
        const double seconds = std::max(0.0, time.count());
        const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), seconds) - bounds.begin();
        add(mine.counts[static_cast<std::size_t>(bucket)], 1);
        add(mine.microseconds, static_cast<std::uint64_t>(seconds * 1e6));
    }

    prometheus::ClientMetric events() const { return counter(&share::events); }
    prometheus::ClientMetric bytes() const { return counter(&share::bytes); }

    // As prometheus::Histogram has it.
    prometheus::ClientMetric times() const
    {
        prometheus::ClientMetric out;
        auto& made = out.histogram;
        for (std::size_t i = 0; i <= bounds.size(); ++i) {
            for (const share& each : shares_) {
                made.sample_count += each.counts[i].load(std::memory_order_relaxed);
            }
            made.bucket.push_back({made.sample_count, i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity()});
        }
        made.sample_sum = static_cast<double>(sum(&share::microseconds)) / 1e6;
        return out;
    }

private:
    static constexpr std::array bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0};
    static constexpr std::size_t cache_line = 64;

    using number = std::atomic<std::uint64_t>;
    struct alignas(cache_line) share {
        number events{0};
        number bytes{0};
        number microseconds{0};
        std::array<number, bounds.size() + 1> counts{};
    };

    // More threads than shares have one together, so that it is an addition still.
    share& own()
    {
        static std::atomic<std::size_t> threads{0};
        thread_local const std::size_t mine = threads.fetch_add(1, std::memory_order_relaxed);
        return shares_[mine % shares_.size()];
    }
    static void add(number& to, std::uint64_t what) { to.fetch_add(what, std::memory_order_relaxed); }

    std::uint64_t sum(number share::* of) const
    {
        std::uint64_t all = 0;
        for (const share& each : shares_) {
            all += (each.*of).load(std::memory_order_relaxed);
        }
        return all;
    }
    prometheus::ClientMetric counter(number share::* of) const
    {
        prometheus::ClientMetric out;
        out.counter.value = static_cast<double>(sum(of));
        return out;
    }

    std::array<share, 64> shares_;
};

} // namespace rowcast::observe
