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

// How long deliveries took, as prometheus::Histogram has it, without its lock: every message to every client is observed,
// from every thread. What is collected meanwhile may lack in the sum what a bucket has already.
class delivery_histogram {
public:
    void observe(std::chrono::duration<double> took)
    {
        const double seconds = std::max(0.0, took.count());
        const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), seconds) - bounds.begin();
        counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
        microseconds_.fetch_add(static_cast<std::uint64_t>(seconds * 1e6), std::memory_order_relaxed);
    }

    prometheus::ClientMetric collect() const
    {
        prometheus::ClientMetric out;
        auto& made = out.histogram;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            made.sample_count += counts_[i].load(std::memory_order_relaxed);
            made.bucket.push_back({made.sample_count, i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity()});
        }
        made.sample_sum = static_cast<double>(microseconds_.load(std::memory_order_relaxed)) / 1e6;
        return out;
    }

private:
    static constexpr std::array bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0};

    std::array<std::atomic<std::uint64_t>, bounds.size() + 1> counts_{};
    std::atomic<std::uint64_t> microseconds_{0};
};

} // namespace rowcast::observe
