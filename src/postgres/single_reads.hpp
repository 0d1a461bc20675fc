#pragma once

#include "core/change.hpp"
#include "core/result.hpp"
#include "core/value.hpp"
#include "policy/table.hpp"
#include "postgres/connection.hpp"

#include <cstdint>

namespace rowcast::postgres {

// One thing at a time, for who asks about it (`rowcast explain`). Both fail with not_found, and throw as the connection does.

// A change of the log by its id. Looks at the whole log.
core::result<core::change> read_one_change(connection& on, std::uint64_t id);

// The row with this key (an object with the key's columns) as capture would log it. Fails with bad_request where the key is
// not the table's.
core::result<core::row> read_one_row(connection& on, const policy::table& of, const core::value& key);

} // namespace rowcast::postgres
