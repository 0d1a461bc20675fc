#pragma once

#include "core/value.hpp"
#include "policy/predicate.hpp"
#include "policy/table.hpp"

#include <optional>
#include <string>

namespace rowcast::policy {

struct contradiction {
    std::string why; // `status cannot be "open" and "paid" at once`
    core::mark at;
};

// Why no row of the table can ever satisfy the predicate, whoever asks. Only said where it is certain: most predicates that
// hold for no row are not found out. The predicate must be one that can be bound.
std::optional<contradiction> find_contradiction(const predicate& of, const table& over);

// Whether every row that satisfies `narrow` satisfies `wide`, for every user, as far as can be told by comparing the
// conditions as they are written: `{a: 1, b: 2}` is within `{a: 1}`.
bool is_within(const predicate& narrow, const predicate& wide);

} // namespace rowcast::policy
