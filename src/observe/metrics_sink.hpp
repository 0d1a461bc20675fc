#pragma once

#include "observe/observation.hpp"

#include <memory>
#include <string>

namespace rowcast::observe {

// Counts observations for Prometheus. Every series that can be known beforehand exists from the start, with 0: a rate
// over a counter that appears with its first event misses that event. Labels take only values out of fixed lists, so
// that no client can make series. Any thread may call it; without a lock for what is counted once an event or a batch.
class metrics_sink {
public:
    metrics_sink();
    ~metrics_sink();

    void operator()(const observation& what);

    // What GET /metrics answers: text/plain; version=0.0.4
    std::string exposition() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace rowcast::observe
