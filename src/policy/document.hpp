#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace rowcast::policy {

// A jsonb value as PostgreSQL compares it: members sorted by name, each once (the last of a name counts), numbers by
// value, however they are written.
struct document {
    using list = std::vector<document>;
    using members = std::vector<std::pair<std::string, document>>;

    std::variant<std::string, list, members> data; // a scalar: JSON text, the same for all that are equal

    bool operator==(const document& other) const;
};

// Nothing where the text is not JSON or PostgreSQL has no such jsonb (a number beyond numeric, \u0000).
std::optional<document> read_document(std::string_view json);

// JSON text, the same for all that are equal.
std::string to_json(const document& of);

// `left @> right`.
bool contains(const document& left, const document& right);

// How many scalars, lists and objects it is made of: `contains` takes up to that many looks at each part of `left`.
std::size_t count_parts(const document& of);

} // namespace rowcast::policy
