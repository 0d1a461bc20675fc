#pragma once

#include <memory>
#include <string>
#include <utility>

#include "core/change.hpp"
#include "hub/view.hpp"
#include "policy/rules.hpp"

namespace rowcast::hub::orders {

// A watched table, views of it, and changes to it.
inline const auto table = std::make_shared<const policy::table>(policy::table{
    "public.orders",
    {{"id", "bigint", policy::type_family::integer}, {"owner_id", "integer", policy::type_family::integer}, {"status", "text", policy::type_family::text}},
    {"id"},
    true});

inline core::value text(std::string word)
{
    return {std::move(word), {}};
}

// A view of whoever may see rows by the rule `where`.
inline view_spec seen_through(core::value where)
{
    policy::rules all;
    all.tables["public.orders"].push_back({{}, policy::predicate::parse(where, true).value(), std::nullopt, {}});
    return {std::make_shared<const policy::visibility>(policy::authorize(all, table, policy::identity{}, {}).value())};
}

inline core::value equals(std::string column, core::value operand)
{
    return {core::object{{std::move(column), std::move(operand)}}, {}};
}

inline core::row row(std::string json)
{
    return core::row::parse(std::move(json)).value();
}

inline core::change update(std::string before, std::string after)
{
    core::change made;
    made.op = made.cause = core::operation::update;
    made.table = "public.orders";
    made.before = row(std::move(before));
    made.after = row(std::move(after));
    return made;
}

} // namespace rowcast::hub::orders
