#pragma once

#include <memory>

#include "policy/table.hpp"

namespace rowcast::fuzz {

// A table with a column of each family of types, of the family's name.
std::shared_ptr<const policy::table> every_column();

} // namespace rowcast::fuzz
