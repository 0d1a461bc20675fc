#pragma once

#include <string>

#include "protocol/wish.hpp"

namespace rowcast::fuzz {

// The limits that docs/protocol.md gives subscriptions and their filters.
void must_be_within_limits(const protocol::wish& wanted);

// The same for two that ask for the same.
std::string describe(const protocol::wish& wanted);

} // namespace rowcast::fuzz
