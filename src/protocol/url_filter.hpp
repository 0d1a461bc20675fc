#pragma once

#include <string_view>

#include "core/result.hpp"
#include "core/value.hpp"

namespace rowcast::protocol {

// Whether a URL's parameter of this name is a group of conditions (`or`, `and`, `not.or`, `not.and`), not a column.
bool is_group(std::string_view name);

// One parameter in PostgREST's notation (its "Tables and Views", "Operators" and "Logical operators") as the tree that
// policy::predicate::parse reads:
//
//     status=eq.open   total=not.gte.100   id=in.(1,2,"a,b")   name=ilike.*ann*   deleted_at=is.null
//     or=(status.eq.open,and(total.gte.100,note.is.null))
//
// Operands are strings, whatever the column's type: binding brings them into it. Fails with bad_filter, naming the
// parameter and the nearest operator.
core::result<core::value> parse_url_filter(std::string_view name, std::string_view value);

} // namespace rowcast::protocol
