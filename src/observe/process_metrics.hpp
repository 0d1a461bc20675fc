#pragma once

#include <prometheus/metric_family.h>

#include <vector>

namespace rowcast::observe {

// What every Prometheus client library tells of its process, under the names that they have agreed on; from Linux' /proc.
// What cannot be read is left out.
std::vector<prometheus::MetricFamily> process_metrics();

} // namespace rowcast::observe
