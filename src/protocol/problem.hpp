#pragma once

#include <string>

#include "core/result.hpp"

namespace rowcast::protocol {

inline constexpr char problem_content_type[] = "application/problem+json";

// The body of an HTTP error (RFC 9457), with rowcast's code.
std::string problem(const core::failure& why);

} // namespace rowcast::protocol
