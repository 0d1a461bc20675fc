#include "cli/exit_status.hpp"

#include "cli/terminal.hpp"

#include <iostream>

namespace rowcast::cli {

exit_status report(const core::failure& why)
{
    std::cerr << "rowcast: " << printable_lines(why.message) << '\n';
    return why.code == core::error_code::unavailable ? exit_status::database_unreachable : exit_status::failed;
}

} // namespace rowcast::cli
