#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace rowcast::core {

// One column of a row, as PostgreSQL wrote it. `value` is JSON text, digit for digit: never parsed, only passed on.
struct field {
    std::string_view name;  // decoded
    std::string_view value; // raw JSON
};

// A row as the log keeps it: the text of one JSON object, cut into its fields without copying their values.
// A default-constructed row is "no row" (the new row of a DELETE, say). Immutable, movable; the views that it hands
// out live as long as it does and do not survive a move.
class row {
public:
    row() = default;

    // Fails with `malformed` where the text is not one JSON object, is nested deeper than 512 levels, or has more
    // fields than a PostgreSQL table can have columns (1,600).
    static result<row> parse(std::string json);

    bool present() const { return !text_.empty(); }
    std::size_t size() const { return fields_.size(); }
    field operator[](std::size_t index) const;

    // The raw JSON of the column; nothing where the row has no such column. `hint` is where to look first: rows of
    // one table have their columns in one order.
    std::optional<std::string_view> find(std::string_view column, std::size_t hint = 0) const;

    // The object as it was written.
    std::string_view json() const { return std::string_view(text_).substr(0, json_size_); }
    std::size_t memory() const { return text_.capacity() + fields_.capacity() * sizeof(slice); }

private:
    struct slice {
        std::uint32_t name, name_size, value, value_size;
    };

    std::string text_; // the object; behind it, the decoded forms of names that were written with escapes
    std::size_t json_size_ = 0;
    std::vector<slice> fields_;
};

// The decoded text of a raw JSON string, quotes included in the input; nothing where it is not a string.
std::optional<std::string> decode_string(std::string_view json);

// Appends `text` as a JSON string with its quotes (RFC 8259 section 7).
void append_quoted(std::string& out, std::string_view text);

} // namespace rowcast::core
