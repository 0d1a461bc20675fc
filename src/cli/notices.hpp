#pragma once

#include <string>

namespace rowcast::cli {

// What PostgreSQL had to remark, on stderr.
void say_notice(const std::string& text);

} // namespace rowcast::cli
