#include "policy/predicate_sql.hpp"

#include "policy/bound_node.hpp"
#include "policy/calendar.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace rowcast::policy {
namespace {

using node = bound_predicate::node;
using comparison = node::comparison;

std::int64_t to_number(std::string_view digits)
{
    std::int64_t number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
}

// A canonical text (scalar.hpp) in a form that PostgreSQL reads as the same value.
std::string literal(type_family family, const std::string& canonical)
{
    switch (family) {
    case type_family::numeric: {
        // Digits and an exponent, 125e2 for 0.125 * 10^2; or a word.
        const std::size_t sign = canonical.front() == '-' ? 1 : 0;
        const bool scaled = canonical.find('e') != std::string::npos;
        return scaled ? canonical.substr(0, sign) + "0." + canonical.substr(sign) : canonical;
    }
    case type_family::text:
    case type_family::padded_text:
    case type_family::enumeration:
        return canonical.substr(1);
    case type_family::date:
        return write_date(to_number(canonical));
    case type_family::timestamp:
    case type_family::timestamptz:
        return write_timestamp(to_number(canonical));
    default:
        return canonical;
    }
}

// What the parameter is cast to: a type that an index on the column serves, without the column's own modifiers and
// domains, which would round or refuse what is only to be compared.
std::string_view type_of(const node::condition& condition)
{
    switch (condition.over->family) {
    case type_family::boolean:
        return "boolean";
    case type_family::smallint:
        return "smallint";
    case type_family::integer:
        return "integer";
    case type_family::bigint:
        return "bigint";
    case type_family::numeric:
        return "numeric";
    case type_family::real:
        return "real";
    case type_family::double_precision:
        return "double precision";
    case type_family::padded_text:
        return "bpchar";
    case type_family::uuid:
        return "uuid";
    case type_family::date:
        return "date";
    case type_family::timestamp:
        return "timestamp";
    case type_family::timestamptz:
        return "timestamptz";
    default:
        return "text";
    }
}

// The parts of a condition are bracketed by who joins them.
class writer {
public:
    std::string condition(const bound_predicate& of) { return of.always() ? "true" : write(*of.root()); }

    std::vector<sql_parameter> take_parameters() { return std::move(parameters_); }

private:
    std::string write(const node& at)
    {
        if (const auto* constant = std::get_if<node::constant>(&at.what)) {
            return std::array{"false", "null::boolean", "true"}[static_cast<std::size_t>(constant->value)];
        }
        if (const auto* condition = std::get_if<node::condition>(&at.what)) {
            return write(*condition);
        }
        const auto& group = std::get<node::group>(at.what);
        const bool any = group.of == predicate::group::kind::any;
        std::string text;
        for (const auto& part : group.parts) {
            text += (text.empty() ? "(" : any ? ") or (" : ") and (") + write(*part);
        }
        text = text.empty() ? (any ? "false" : "true") : text + ")";
        return group.of == predicate::group::kind::none ? "not (" + text + ")" : text;
    }

    std::string write(const node::condition& condition)
    {
        const std::string column = quote_name(condition.over->name);
        // A label that the type does not have would fail the cast, and is only unequal here.
        const std::string left = condition.over->family == type_family::enumeration ? column + "::text" : column;
        switch (condition.how) {
        case comparison::any_of:
            return left + " = any (" + array(condition) + ")";
        case comparison::none_of:
            return left + " <> all (" + array(condition) + ")";
        case comparison::less:
            return left + " < " + value(condition);
        case comparison::at_most:
            return left + " <= " + value(condition);
        case comparison::greater:
            return left + " > " + value(condition);
        case comparison::at_least:
            return left + " >= " + value(condition);
        case comparison::is_null:
            return column + " is null";
        case comparison::is_not_null:
            return column + " is not null";
        case comparison::is_true:
            return column + " is true";
        case comparison::is_false:
            return column + " is false";
        case comparison::is_unknown:
            return column + " is unknown";
        }
        return "false";
    }

    std::string array(const node::condition& condition)
    {
        std::vector<std::optional<std::string>> elements;
        for (const std::string& each : *condition.values) {
            elements.emplace_back(literal(condition.over->family, each));
        }
        if (condition.null_among_values) {
            elements.emplace_back();
        }
        return add(std::move(elements)) + "::" + std::string(type_of(condition)) + "[]";
    }

    std::string value(const node::condition& condition)
    {
        return add(literal(condition.over->family, condition.values->front())) + "::" + std::string(type_of(condition));
    }

    std::string add(sql_parameter parameter)
    {
        parameters_.push_back(std::move(parameter));
        return "$" + std::to_string(parameters_.size());
    }

    std::vector<sql_parameter> parameters_;
};

bool gives(const grant& which, const std::string& column)
{
    return !which.columns || std::binary_search(which.columns->begin(), which.columns->end(), column);
}

} // namespace

std::string quote_name(std::string_view name)
{
    std::string quoted = "\"";
    for (const char c : name) {
        quoted.append(c == '"' ? 2 : 1, c);
    }
    return quoted + '"';
}

// A row is visible where some grant holds, and the filter; and where each column of the filter is given by some grant
// that holds (visibility::look).
sql_text condition_sql(const visibility& of)
{
    writer write;
    const std::string filter = write.condition(of.filter());
    std::vector<std::string> grants;
    for (const grant& each : of.grants()) {
        grants.push_back(write.condition(each.where));
    }
    const auto any_that = [&](auto counts) {
        std::string text;
        for (std::size_t i = 0; i < grants.size(); ++i) {
            if (counts(of.grants()[i])) {
                text += (text.empty() ? "(" : ") or (") + grants[i];
            }
        }
        return text.empty() ? std::string("false") : text + ")";
    };

    std::vector<std::string> all{any_that([](const grant&) { return true; })};
    for (const std::string& column : of.filter_columns()) {
        std::string givers = any_that([&](const grant& each) { return gives(each, column); });
        if (std::find(all.begin(), all.end(), givers) == all.end()) {
            all.push_back(std::move(givers));
        }
    }
    std::string text;
    for (const std::string& each : all) {
        text += "(" + each + ") and ";
    }
    return {text + "(" + filter + ")", write.take_parameters()};
}

} // namespace rowcast::policy
