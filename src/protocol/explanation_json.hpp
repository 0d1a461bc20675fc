#pragma once

#include "policy/explanation.hpp"

#include <string>

namespace rowcast::protocol {

// An explanation as one JSON object, for machines (docs/operations.md, "Why does this user get this row?").
std::string to_json(const policy::explanation& of);

} // namespace rowcast::protocol
