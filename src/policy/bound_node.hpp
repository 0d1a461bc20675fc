#pragma once

#include "policy/predicate.hpp"
#include "policy/scalar.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace rowcast::policy {

// What a bound predicate is made of: made by the binder (predicate_binder.cpp), evaluated in bound_predicate.cpp.
struct bound_predicate::node {
    enum class comparison {
        any_of,
        none_of,
        less,
        at_most,
        greater,
        at_least,
        is_null,
        is_not_null,
        is_true,
        is_false,
        is_unknown
    };

    struct condition {
        std::string column;
        std::size_t hint; // where the table has the column
        type_family family;
        comparison how;
        std::vector<std::string> values; // canonical; sorted for any_of and none_of
        bool null_among_values = false;
    };

    struct group {
        predicate::group::kind of;
        std::vector<std::shared_ptr<const node>> parts;
    };

    // The same for every row, though a column is named.
    struct constant {
        truth value;
        std::string column;
    };

    std::variant<constant, condition, group> what;
    std::string text;
    std::optional<equality> index;
};

// Appends `text` so that no two sequences of texts look alike: with its length before it.
void append_counted(std::string& out, std::string_view text);

} // namespace rowcast::policy
