#pragma once

#include "policy/visibility.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rowcast::policy {

// A statement's parameter in PostgreSQL's text form: one value, or the elements of an array.
using sql_parameter = std::variant<std::string, std::vector<std::optional<std::string>>>;

// A piece of SQL with its parameters: $1 is the first of them. No value of a rule, a claim or a client ever stands in
// the text.
struct sql_text {
    std::string text;
    std::vector<sql_parameter> parameters;
};

// The condition under which a row of the table is visible, for a WHERE: true for exactly the rows that `see` shows as
// inserted. Names are bare columns of the table; search_path must not reach beyond pg_catalog, so that operators are
// PostgreSQL's own.
sql_text condition_sql(const visibility& of);

// "odd ""name"""
std::string quote_name(std::string_view name);

} // namespace rowcast::policy
