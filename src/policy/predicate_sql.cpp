#include "policy/predicate_sql.hpp"

#include "policy/bound_node.hpp"
#include "policy/calendar.hpp"
#include "policy/scalar_number.hpp"

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
    case type_family::numeric:
        return numeric_literal(canonical);
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
std::string_view type_of(type_family family)
{
    switch (family) {
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
    case type_family::time:
        return "time";
    case type_family::timestamp:
        return "timestamp";
    case type_family::timestamptz:
        return "timestamptz";
    case type_family::bytea:
        return "bytea";
    case type_family::jsonb:
        return "jsonb";
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
        const std::string column = without_json_null(condition);
        // A label that the type no longer has would fail the cast, and is only unequal here.
        const bool is_label = condition.over->family == type_family::enumeration;
        const std::string left = is_label && condition.how <= comparison::none_of ? column + "::text" : column;
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
        case comparison::contains:
            return containment(column, condition);
        case comparison::like:
            return column + " like " + add(condition.values->front()) + "::text";
        case comparison::ilike:
            return column + " ilike " + add(condition.values->front()) + "::text";
        case comparison::is_null:
            return is_null(column, condition);
        case comparison::is_not_null:
            return "not (" + is_null(column, condition) + ")";
        case comparison::is_true:
            return column + " is true";
        case comparison::is_false:
            return column + " is false";
        case comparison::is_unknown:
            return column + " is unknown";
        }
        return "false";
    }

    // Changes are looked at as JSON, in which a composite of nothing but nulls is no null.
    static std::string is_null(const std::string& column, const node::condition& condition)
    {
        return condition.over->family == type_family::other ? "to_json(" + column + ") is null" : column + " is null";
    }

    // In the log's rows a JSON null looks like NULL, so it is one here too.
    static std::string without_json_null(const node::condition& condition)
    {
        const std::string column = quote_name(condition.over->name);
        switch (condition.over->family) {
        case type_family::jsonb:
            return "nullif(" + column + ", 'null')";
        case type_family::json:
            return "nullif(btrim(" + column + "::text, E' \\n\\r\\t'), 'null')";
        default:
            return column;
        }
    }

    // The column is brought to the plain element type, which changes nothing where it is of that type: an array of
    // varchar does not compare with one of text.
    std::string containment(const std::string& column, const node::condition& condition)
    {
        if (condition.over->family == type_family::jsonb) {
            return column + " @> " + value(condition);
        }
        const std::string type = std::string(type_of(condition.over->element)) + "[]";
        return column + "::" + type + " @> " + add(elements(condition.over->element, condition)) + "::" + type;
    }

    static std::vector<std::optional<std::string>> elements(type_family family, const node::condition& condition)
    {
        std::vector<std::optional<std::string>> all;
        for (const std::string& each : *condition.values) {
            all.emplace_back(literal(family, each));
        }
        if (condition.null_among_values) {
            all.emplace_back();
        }
        return all;
    }

    std::string array(const node::condition& condition)
    {
        const type_family family = condition.over->family;
        return add(elements(family, condition)) + "::" + std::string(type_of(family)) + "[]";
    }

    std::string value(const node::condition& condition)
    {
        // Labels are ordered by their type, and nothing rounds them.
        const type_family family = condition.over->family;
        return add(literal(family, condition.values->front())) + "::" +
               (family == type_family::enumeration ? condition.over->type : std::string(type_of(family)));
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
