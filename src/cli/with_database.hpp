#pragma once

#include "cli/exit_status.hpp"
#include "cli/settings.hpp"
#include "postgres/administration.hpp"

#include <functional>
#include <string>

namespace rowcast::cli {

// Acts on the chosen database, which connects with its first call; says what PostgreSQL remarks. Where none is chosen it
// says what to give.
exit_status with_database(const database_choice& chosen, const std::function<exit_status(postgres::administration&)>& act);

// The same for on_chosen, with the database that the options choose.
template <class Options>
auto on_database(exit_status (*act)(const Options&, postgres::administration&))
{
    return [act](const Options& given) {
        return with_database(given.database, [&](postgres::administration& database) { return act(given, database); });
    };
}

// Gives the role what the bridge needs, and says so. An empty one: nothing is to be done.
exit_status grant_to(const std::string& role, postgres::administration& database);

} // namespace rowcast::cli
