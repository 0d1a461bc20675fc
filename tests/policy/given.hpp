#pragma once

#include "core/change.hpp"
#include "core/json_scanner.hpp"
#include "policy/rules.hpp"

#include <stdexcept>

// Short spellings for what the policy's tests are about.
namespace rowcast::tests {

/// JSON text as the tree that predicates are read from.
inline core::value tree(std::string_view json)
{
    core::json_scanner scan(json);
    switch (json.front()) {
    case '{': {
        core::object members;
        const bool read = scan.object([&](std::string_view name, std::string_view item) {
            members.emplace_back(core::decode_string(name).value(), tree(item));
            return true;
        });
        if (!read) {
            throw std::invalid_argument("not JSON: " + std::string(json));
        }
        return {std::move(members)};
    }
    case '[': {
        core::list items;
        for (std::string_view rest = json.substr(1); rest.front() != ']';) {
            core::json_scanner item(rest);
            std::string_view text;
            if (!item.value(text)) {
                throw std::invalid_argument("not JSON: " + std::string(json));
            }
            items.push_back(tree(text));
            rest.remove_prefix(static_cast<std::size_t>(text.data() + text.size() - rest.data()));
            rest.remove_prefix(rest.find_first_not_of(" ") + (rest[rest.find_first_not_of(" ")] == ',' ? 1 : 0));
            rest.remove_prefix(rest.find_first_not_of(" "));
        }
        return {std::move(items)};
    }
    case '"':
        return {core::decode_string(json).value()};
    case 't':
        return {true};
    case 'f':
        return {false};
    case 'n':
        return {nullptr};
    default:
        return {core::number{std::string(json)}};
    }
}

inline core::row row(std::string_view json)
{
    return core::row::parse(std::string(json)).value();
}

inline policy::predicate rule_predicate(std::string_view json)
{
    return policy::predicate::parse(tree(json), true).value();
}

inline policy::predicate filter(std::string_view json)
{
    return policy::predicate::parse(tree(json), false).value();
}

inline policy::identity user(std::string_view claims, std::vector<std::string> roles = {"customer"})
{
    return {"someone", std::move(roles), tree(claims), std::nullopt};
}

inline core::change inserted(std::string_view after, std::string_view table = "public.orders")
{
    core::change made;
    made.op = made.cause = core::operation::insert;
    made.table = table;
    made.after = row(after);
    return made;
}

inline core::change updated(std::string_view before, std::string_view after, std::string_view table = "public.orders")
{
    core::change made;
    made.op = made.cause = core::operation::update;
    made.table = table;
    made.before = row(before);
    made.after = row(after);
    return made;
}

inline core::change deleted(std::string_view before, std::string_view table = "public.orders")
{
    core::change made;
    made.op = made.cause = core::operation::remove;
    made.table = table;
    made.before = row(before);
    return made;
}

} // namespace rowcast::tests
