#include "core/value.hpp"

namespace rowcast::core {

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

} // namespace rowcast::core
