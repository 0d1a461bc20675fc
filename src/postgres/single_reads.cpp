#include "postgres/single_reads.hpp"

#include "postgres/log_statement.hpp"

namespace rowcast::postgres {
namespace {

// The digits or the text of a plain value: PostgreSQL reads it as the column's type.
std::optional<std::string> spelling(const core::value& value)
{
    if (const core::number* number = value.as_number()) {
        return number->digits;
    }
    if (const bool* flag = value.as_bool()) {
        return *flag ? "true" : "false";
    }
    const std::string* text = value.as_string();
    return text ? std::optional(*text) : std::nullopt;
}

} // namespace

core::result<core::change> read_one_change(connection& on, std::uint64_t id)
{
    const rows found = on.execute(one_change_statement, {std::to_string(id)});
    if (found.empty()) {
        return core::failure{core::error_code::not_found, "the log has no change " + std::to_string(id) +
                                                              "; retention may have removed it (`rowcast status`)"};
    }
    return read_change(found, [](const observe::observation&) {});
}

core::result<core::row> read_one_row(connection& on, const policy::table& of, const core::value& key)
{
    std::string columns;
    for (const policy::column& each : of.columns) {
        columns += (columns.empty() ? "" : ", ") + on.quote_name(each.name);
    }
    std::string condition;
    std::vector<parameter> values;
    for (const std::string& part : of.key) {
        const core::value* value = key.find(part);
        values.push_back(value ? spelling(*value) : std::nullopt);
        if (!values.back()) {
            break;
        }
        condition += (condition.empty() ? "" : " and ") + on.quote_name(part) + " = $" + std::to_string(values.size());
    }
    if (!key.as_object() || key.as_object()->size() != of.key.size() || !values.back()) {
        std::string form;
        for (const std::string& part : of.key) {
            form += (form.empty() ? "" : ", ") + part + ": ...";
        }
        return core::failure{core::error_code::bad_request, "the key of " + of.name + " is an object like {" + form + "}"};
    }
    // The name is as PostgreSQL printed it, quotes and all.
    const rows found = on.execute("select row_to_json(c)::text from (select " + columns + " from " + of.name + " where " +
                                      condition + ") c",
                                  values);
    if (found.empty()) {
        return core::failure{core::error_code::not_found, of.name + " has no row with this key"};
    }
    return core::row::parse(std::string(found.text(0, 0)));
}

} // namespace rowcast::postgres
