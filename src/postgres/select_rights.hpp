#pragma once

#include <string>
#include <vector>

#include "postgres/connection.hpp"

namespace rowcast::postgres {

// A watched table whose rows a role may not read, and what would let it.
struct missing_right {
    std::string table;
    std::string role;
    std::string grant; // one statement, or two
};

// Of these watched tables, by name. All captured columns have to be readable. Throws as the connection does, also where
// there is no such role.
std::vector<missing_right> missing_rights(connection& on, const std::string& role, const std::vector<std::string>& tables);

} // namespace rowcast::postgres
