#pragma once

#include "core/excerpt.hpp"

namespace rowcast::protocol {

using core::excerpt;

} // namespace rowcast::protocol
