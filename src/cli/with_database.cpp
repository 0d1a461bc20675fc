#include "cli/with_database.hpp"

#include "cli/notices.hpp"
#include "cli/terminal.hpp"

#include <iostream>

namespace rowcast::cli {

exit_status with_database(const database_choice& chosen, const std::function<exit_status(postgres::administration&)>& act)
{
    const auto url = find_database(chosen);
    if (const auto* failed = std::get_if<exit_status>(&url)) {
        return *failed;
    }
    postgres::administration database({.url = std::get<std::string>(url)}, say_notice);
    return act(database);
}

exit_status grant_to(const std::string& role, postgres::administration& database)
{
    if (role.empty()) {
        return exit_status::ok;
    }
    if (const auto done = database.grant_bridge(role); !done) {
        return report(done.error());
    }
    std::cout << "The bridge may connect as " << printable(role) << ".\n";
    return exit_status::ok;
}

} // namespace rowcast::cli
