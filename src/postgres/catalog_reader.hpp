#pragma once

#include "policy/table.hpp"
#include "postgres/connection.hpp"

namespace rowcast::postgres {

// The watched tables as they are now: captured columns with the family that their values are compared in, and keys.
// Domains count as what they are made of; text whose collation calls different texts equal is `other`, since in memory
// it is compared byte by byte. Tables that were dropped are left out.
policy::catalog_ptr read_catalog(connection& on);

} // namespace rowcast::postgres
