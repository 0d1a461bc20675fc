#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct pg_result;

namespace rowcast::postgres {

// What a statement returned, as text. Bounds are checked: a wrong index is std::out_of_range, what is not a number where
// one is wanted is database_error. The texts live as long as this.
class rows {
public:
    rows() = default;
    explicit rows(pg_result* owned);

    std::size_t size() const;

    bool empty() const { return size() == 0; }

    std::size_t columns() const;

    bool is_null(std::size_t row, std::size_t column) const;
    std::string_view text(std::size_t row, std::size_t column) const;         // empty for null
    bool truth(std::size_t row, std::size_t column) const;                    // false for null
    std::uint64_t number(std::size_t row, std::size_t column) const;          // a non-negative integer
    std::vector<std::string> list(std::size_t row, std::size_t column) const; // text[]; empty for null

    // How many rows an INSERT, UPDATE or DELETE touched.
    std::uint64_t affected() const;

private:
    void check(std::size_t row, std::size_t column) const;

    struct free_result {
        void operator()(pg_result* result) const;
    };

    std::unique_ptr<pg_result, free_result> result_;
};

// A statement's parameter in PostgreSQL's text form; nothing is null.
using parameter = std::optional<std::string>;

// The text form of a one-dimensional array, and back (PostgreSQL manual, "Array Input and Output Syntax").
std::string to_array(const std::vector<std::string>& elements);
std::string to_array(const std::vector<parameter>& elements);
std::vector<std::string> from_array(std::string_view text);

} // namespace rowcast::postgres
