#include "postgres/rows.hpp"

#include "core/whole_number.hpp"
#include "postgres/database_error.hpp"

#include <libpq-fe.h>

#include <stdexcept>

namespace rowcast::postgres {
namespace {

[[noreturn]] void not_a(std::string_view wanted, std::string_view text)
{
    throw database_error("PostgreSQL answered \"" + std::string(text.substr(0, 80)) + "\" where " +
                             std::string(wanted) + " was expected",
                         "", "");
}

} // namespace

void rows::free_result::operator()(pg_result* result) const
{
    PQclear(result);
}

rows::rows(pg_result* owned)
    : result_(owned)
{
}

std::size_t rows::size() const
{
    return result_ ? static_cast<std::size_t>(PQntuples(result_.get())) : 0;
}

std::size_t rows::columns() const
{
    return result_ ? static_cast<std::size_t>(PQnfields(result_.get())) : 0;
}

void rows::check(std::size_t row, std::size_t column) const
{
    if (row >= size() || column >= columns()) {
        throw std::out_of_range("row " + std::to_string(row) + ", column " + std::to_string(column) +
                                " of a result of " + std::to_string(size()) + " rows and " + std::to_string(columns()) +
                                " columns");
    }
}

bool rows::is_null(std::size_t row, std::size_t column) const
{
    check(row, column);
    return PQgetisnull(result_.get(), static_cast<int>(row), static_cast<int>(column)) != 0;
}

std::string_view rows::text(std::size_t row, std::size_t column) const
{
    check(row, column);
    const int r = static_cast<int>(row);
    const int c = static_cast<int>(column);
    return {PQgetvalue(result_.get(), r, c), static_cast<std::size_t>(PQgetlength(result_.get(), r, c))};
}

bool rows::truth(std::size_t row, std::size_t column) const
{
    const auto value = text(row, column);
    return value == "t" || value == "true";
}

std::uint64_t rows::number(std::size_t row, std::size_t column) const
{
    const auto digits = text(row, column);
    const auto value = core::whole_number<std::uint64_t>(digits);
    if (!value) {
        not_a("a number", digits);
    }
    return *value;
}

std::vector<std::string> rows::list(std::size_t row, std::size_t column) const
{
    return is_null(row, column) ? std::vector<std::string>{} : from_array(text(row, column));
}

std::uint64_t rows::affected() const
{
    return core::whole_number<std::uint64_t>(result_ ? PQcmdTuples(result_.get()) : "").value_or(0);
}

std::string to_array(const std::vector<std::string>& elements)
{
    return to_array(std::vector<parameter>(elements.begin(), elements.end()));
}

std::string to_array(const std::vector<parameter>& elements)
{
    std::string text = "{";
    for (const parameter& element : elements) {
        text += text.size() > 1 ? "," : "";
        if (!element) {
            text += "NULL";
            continue;
        }
        text += '"';
        for (const char c : *element) {
            if (c == '"' || c == '\\') {
                text += '\\';
            }
            text += c;
        }
        text += '"';
    }
    return text + "}";
}

std::vector<std::string> from_array(std::string_view text)
{
    if (text.size() < 2 || text.front() != '{' || text.back() != '}') {
        not_a("an array", text);
    }
    std::vector<std::string> elements;
    const std::string_view inside = text.substr(1, text.size() - 2);
    for (std::size_t i = 0; i < inside.size(); ++i) { // `i` stands at the start of an element, then at its comma
        std::string& element = elements.emplace_back();
        bool quoted = false;
        for (; i < inside.size() && (quoted || inside[i] != ','); ++i) {
            if (inside[i] == '"') {
                quoted = !quoted;
            } else if (inside[i] == '\\' && ++i == inside.size()) {
                not_a("an array", text);
            } else {
                element += inside[i];
            }
        }
    }
    return elements;
}

} // namespace rowcast::postgres
