#pragma once

#include "policy/predicate.hpp"
#include "policy/scalar.hpp"
#include "policy/set.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace rowcast::policy {

// What a bound predicate is made of: made by the binder (predicate_binder.cpp), evaluated in bound_predicate.cpp. There
// may be a million, one for each user: what all have in common stays in the table.
struct bound_predicate::node {
    enum class comparison : std::uint8_t {
        any_of,
        none_of,
        less,
        at_most,
        greater,
        at_least,
        contains, // an array all of the values; a jsonb the one
        like,
        ilike,
        is_null,
        is_not_null,
        is_true,
        is_false,
        is_unknown
    };

    // Canonical (scalar.hpp), of an array's elements for contains; sorted and each once for any_of and none_of. For
    // like and ilike the pattern, folded for the latter.
    using value_list = std::shared_ptr<const std::vector<std::string>>;

    struct condition {
        const column* over; // of the table that it was bound to
        std::uint16_t place; // where that table has the column
        comparison how;
        bool null_among_values = false;
        value_list values; // null for the tests without any: is_null and those behind it
        const set_value* set = nullptr; // that the values are of, and live in
    };

    struct group {
        predicate::group::kind of;
        std::vector<std::shared_ptr<const node>> parts;
    };

    // The same for every row, though a column is named.
    struct constant {
        truth value;
        const column* over;
    };

    std::variant<constant, condition, group> what;
};

// The canonical spelling of `bound_predicate::text`.
void append_text(std::string& out, const bound_predicate::node& of);

// Appends `text` so that no two sequences of texts look alike: with its length before it.
void append_counted(std::string& out, std::string_view text);

} // namespace rowcast::policy
