#pragma once

#include "observe/observation.hpp"

#include <utility>
#include <vector>

namespace rowcast::observe {

// One sink that tells several, in their order.
inline sink fan_out(std::vector<sink> sinks)
{
    return [all = std::move(sinks)](const observation& what) {
        for (const sink& each : all) {
            each(what);
        }
    };
}

} // namespace rowcast::observe
