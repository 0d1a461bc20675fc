#include "policy/identity.hpp"

namespace rowcast::policy {

const core::value* find_claim(const core::value& claims, std::string_view path)
{
    if (const core::value* whole = claims.find(path)) {
        return whole;
    }
    // The longest first part that is a claim's name, and within it the rest.
    for (std::size_t dot = path.rfind('.'); dot != std::string_view::npos && dot > 0; dot = path.rfind('.', dot - 1)) {
        if (const core::value* outer = claims.find(path.substr(0, dot))) {
            if (const core::value* inner = find_claim(*outer, path.substr(dot + 1))) {
                return inner;
            }
        }
    }
    return nullptr;
}

} // namespace rowcast::policy
