#include "cli/notices.hpp"

#include "cli/terminal.hpp"

#include <iostream>

namespace rowcast::cli {

void say_notice(const std::string& text)
{
    const std::string shown = printable_lines(text);
    std::cerr << shown << (shown.ends_with('\n') ? "" : "\n");
}

} // namespace rowcast::cli
