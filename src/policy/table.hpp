#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rowcast::policy {

// What a column's values are, as far as comparing them in memory is concerned. `other` cannot be compared.
enum class type_family : std::uint8_t {
    boolean,
    smallint,
    integer,
    bigint,
    numeric,
    real,
    double_precision,
    text,        // text, varchar: equal byte by byte (a deterministic collation)
    padded_text, // char(n): trailing blanks do not count
    uuid,
    date,
    time,
    timestamp,
    timestamptz,
    enumeration,
    bytea,
    jsonb,
    array,
    json,          // PostgreSQL has no equality for it
    collated_text, // of a nondeterministic collation: which texts are equal is not known here
    other,
};

struct column {
    std::string name;
    std::string type; // as format_type() prints it, for messages
    type_family family = type_family::other;
    type_family element = type_family::other; // of an array
    // The texts' collation orders by code points and knows the case of ASCII alone ("C", POSIX).
    bool code_points = false;
    std::vector<std::string> labels = {}; // of an enumeration (or of an array's elements), in their order

    bool operator==(const column&) const = default;
};

// A watched table as the rules and the hub need it: captured columns only, in the table's order.
struct table {
    std::string name; // public.orders
    std::vector<column> columns;
    std::vector<std::string> key; // in key order; never empty
    bool all_columns = true;      // columns added later are captured too

    const column* find(std::string_view column_name) const;
    bool is_key(std::string_view column_name) const;
    bool operator==(const table&) const = default;
};

// The watched tables at one moment. Immutable; replaced as a whole when the database changes.
struct catalog {
    std::map<std::string, std::shared_ptr<const table>, std::less<>> tables;

    std::shared_ptr<const table> find(std::string_view table_name) const;
    bool operator==(const catalog& other) const; // by what the tables are
};

using catalog_ptr = std::shared_ptr<const catalog>;

} // namespace rowcast::policy
