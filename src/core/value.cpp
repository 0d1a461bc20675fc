#include "core/value.hpp"

#include "core/row.hpp"

namespace rowcast::core {
namespace {

struct writer {
    std::string& out;

    void operator()(std::nullptr_t) const { out += "null"; }
    void operator()(bool what) const { out += what ? "true" : "false"; }
    void operator()(const number& what) const { out += what.digits; }
    void operator()(const std::string& what) const { append_quoted(out, what); }

    void operator()(const list& items) const
    {
        char before = '[';
        for (const value& item : items) {
            out += std::exchange(before, ',');
            std::visit(*this, item.data);
        }
        out += items.empty() ? "[]" : "]";
    }

    void operator()(const object& members) const
    {
        char before = '{';
        for (const auto& [name, item] : members) {
            out += std::exchange(before, ',');
            append_quoted(out, name);
            out += ':';
            std::visit(*this, item.data);
        }
        out += members.empty() ? "{}" : "}";
    }
};

} // namespace

const value* value::find(std::string_view name) const
{
    if (const object* members = as_object()) {
        for (const auto& [key, item] : *members) {
            if (key == name) {
                return &item;
            }
        }
    }
    return nullptr;
}

std::string_view value::kind() const
{
    constexpr std::string_view names[] = {"null", "a boolean", "a number", "a string", "a list", "an object"};
    return names[data.index()];
}

void append_json(std::string& out, const value& tree)
{
    std::visit(writer{out}, tree.data);
}

std::string to_json(const value& tree)
{
    std::string out;
    append_json(out, tree);
    return out;
}

} // namespace rowcast::core
