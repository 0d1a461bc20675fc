#pragma once

#include "core/change.hpp"
#include "core/result.hpp"
#include "core/row.hpp"
#include "core/value.hpp"
#include "policy/set.hpp"
#include "policy/table.hpp"

#include <optional>

namespace rowcast::policy {

// A row that somebody wrote down (columns and values, an object) as the change log would have it: values spelled by their
// column's type, columns that are not there null. Fails with unknown_column, or bad_request where a value is none of its
// column's type; `at`, if given, becomes the place in the file.
core::result<core::row> literal_row(const table& over, const core::value& columns, core::mark* at = nullptr);

// A change that somebody wrote down as its rows: an INSERT has only the new one, a DELETE only the old one. Fails as
// `literal_row`, and with bad_request where it changes the key.
core::result<core::change> literal_change(const table& over, const std::optional<core::value>& before,
                                          const std::optional<core::value>& after, core::mark* at = nullptr);

// The values of a set that somebody wrote down (a list of plain values), for one user. Fails with bad_request.
core::result<set_value_ptr> literal_set(const std::string& name, const core::value& values, core::mark* at = nullptr);

} // namespace rowcast::policy
