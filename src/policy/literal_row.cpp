#include "policy/literal_row.hpp"

#include "core/json_scanner.hpp"
#include "core/nearest.hpp"
#include "policy/scalar.hpp"

#include <algorithm>
#include <optional>

namespace rowcast::policy {
namespace {

bool is_json(const std::string& text)
{
    core::json_scanner scan(text);
    std::string_view whole;
    return scan.value(whole) && scan.at_end();
}

std::optional<std::string> plain_text(const core::value& value)
{
    if (const core::number* number = value.as_number()) {
        return number->digits;
    }
    if (const bool* boolean = value.as_bool()) {
        return *boolean ? "true" : "false";
    }
    const std::string* text = value.as_string();
    return text ? std::optional(*text) : std::nullopt;
}

// How PostgreSQL's row_to_json would write it; nothing where the type has no such value.
std::optional<std::string> spell(type_family family, const core::value& value)
{
    const auto text = plain_text(value);
    if (!text || !is_scalar(family)) {
        return core::to_json(value);
    }
    const std::string& plain = *text;
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

core::result<core::change> literal_change(const table& over, const std::optional<core::value>& before,
                                          const std::optional<core::value>& after, core::mark* at)
{
    core::change made;
    made.table = over.name;
    made.durable = false;
    made.op = made.cause = !before ? core::operation::insert : !after ? core::operation::remove : core::operation::update;
    for (const bool old : {true, false}) {
        const auto& given = old ? before : after;
        auto row = given ? literal_row(over, *given, at) : core::row();
        if (!row) {
            return row.error();
        }
        (old ? made.before : made.after) = std::move(*row);
    }
    const auto moved = [&](const std::string& part) { return made.before.find(part) != made.after.find(part); };
    if (made.op == core::operation::update && std::any_of(over.key.begin(), over.key.end(), moved)) {
        return core::failure{core::error_code::bad_request,
                             "an UPDATE of the key arrives as a DELETE and an INSERT; write each of the two by itself"};
    }
    return made;
}

core::result<set_value_ptr> literal_set(const std::string& name, const core::value& values, core::mark* at)
{
    const core::list* given = values.as_list();
    const bool plain = given && std::all_of(given->begin(), given->end(), [](const core::value& each) {
        return each.is_null() || plain_text(each);
    });
    if (!plain) {
        if (at) {
            *at = values.at;
        }
        return core::failure{core::error_code::bad_request, "the set '" + name + "' is a list of plain values, like [a, b]"};
    }
    std::vector<std::string> texts;
    bool has_null = false;
    for (const core::value& each : *given) {
        if (each.is_null()) {
            has_null = true;
        } else {
            texts.push_back(*plain_text(each));
        }
    }
    std::sort(texts.begin(), texts.end());
    texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
    auto definition = std::make_shared<set_definition>();
    definition->name = name;
    return std::make_shared<const set_value>(set_call{std::move(definition), {}}, 0, std::make_shared<const set_plan>(),
                                             std::move(texts), has_null);
}

} // namespace rowcast::policy
