#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace rowcast::core {

// A JSON-like tree that JSON (messages, tokens), YAML (rules) and URLs (filters) are all read into, so that rules,
// filters and claims have one definition. Numbers keep their digits: 2^53 and beyond must survive.
struct value;

struct number {
    std::string digits;
    static number of(std::integral auto whole) { return {std::to_string(whole)}; }
    bool operator==(const number&) const = default;
};

using list = std::vector<value>;
using member = std::pair<std::string, value>;
using object = std::vector<member>; // in the order of the source

// Where a value stood in a file; line 0 means "not from a file".
struct mark {
    int line = 0;
    int column = 0;
    bool operator==(const mark&) const = default;
};

struct value {
    std::variant<std::nullptr_t, bool, number, std::string, list, object> data = nullptr;
    mark at = {};

    bool is_null() const { return std::holds_alternative<std::nullptr_t>(data); }
    const bool* as_bool() const { return std::get_if<bool>(&data); }
    const number* as_number() const { return std::get_if<number>(&data); }
    const std::string* as_string() const { return std::get_if<std::string>(&data); }
    const list* as_list() const { return std::get_if<list>(&data); }
    const object* as_object() const { return std::get_if<object>(&data); }

    // The member of that name, or null where this is no object or has none.
    const value* find(std::string_view name) const;

    // What kind of value it is, for messages: "a string", "a list", ...
    std::string_view kind() const;
};

// Of texts, in their order.
template <class Texts>
list list_of(const Texts& texts)
{
    list all;
    for (const auto& each : texts) {
        all.push_back({std::string(each)});
    }
    return all;
}

// The tree as JSON text without white space; numbers keep their digits.
std::string to_json(const value& tree);
void append_json(std::string& out, const value& tree);

} // namespace rowcast::core
