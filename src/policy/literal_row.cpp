#include "policy/literal_row.hpp"

#include "core/json_scanner.hpp"
#include "core/nearest.hpp"
#include "policy/scalar.hpp"

#include <optional>

namespace rowcast::policy {
namespace {

bool is_json(const std::string& text)
{
    core::json_scanner scan(text);
    std::string_view whole;
    return scan.value(whole) && scan.at_end();
}

// How PostgreSQL's row_to_json would write it; nothing where the type has no such value.
std::optional<std::string> spell(type_family family, const core::value& value)
{
    const core::number* number = value.as_number();
    const bool* boolean = value.as_bool();
    const std::string* text = value.as_string();
    if (value.is_null() || !is_scalar(family) || (!number && !boolean && !text)) {
        return core::to_json(value);
    }
    const std::string plain = number ? number->digits : boolean ? (*boolean ? "true" : "false") : *text;
    std::string as_text;
    core::append_quoted(as_text, plain);
    // What is written bare (numbers, booleans) and what in quotes is the type's matter, not the writer's.
    for (const std::string& form : {plain, as_text}) {
        if (const auto known = is_json(form) ? canonical(family, form) : std::nullopt;
            known && known == canonical_literal(family, plain)) {
            return form;
        }
    }
    return std::nullopt;
}

} // namespace

core::result<core::row> literal_row(const table& over, const core::value& columns, core::mark* at)
{
    const auto fail = [&](const core::value& where, core::error_code code, std::string why) {
        if (at) {
            *at = where.at;
        }
        return core::failure{code, std::move(why)};
    };
    const core::object* given = columns.as_object();
    if (!given) {
        return fail(columns, core::error_code::bad_request, "a row is an object, like {id: 1, status: open}");
    }
    for (const auto& [name, value] : *given) {
        if (!over.find(name)) {
            std::vector<std::string_view> names;
            for (const column& each : over.columns) {
                names.push_back(each.name);
            }
            return fail(value, core::error_code::unknown_column,
                        over.name + " has no captured column '" + name + "'" + core::did_you_mean(name, names));
        }
    }
    std::string json;
    for (const column& each : over.columns) {
        const core::value* value = columns.find(each.name);
        const auto spelled = value ? spell(each.family, *value) : "null";
        if (!spelled) {
            return fail(*value, core::error_code::bad_request,
                        "column '" + each.name + "': " + core::to_json(*value) + " is not " +
                            std::string(describe(each.family)) + ", as values of type " + each.type + " are");
        }
        json += json.empty() ? "{" : ",";
        core::append_quoted(json, each.name);
        json += ":" + *spelled;
    }
    return core::row::parse(json.empty() ? "{}" : json + "}");
}

} // namespace rowcast::policy
