#include "policy/identity.hpp"

#include <algorithm>

namespace rowcast::policy {
namespace {

constexpr std::size_t most_roles = 1000;

core::failure invalid(std::string why)
{
    return {core::error_code::token_invalid, std::move(why)};
}

// OAuth's `scope` (RFC 6749 section 3.3; some call it `scp`) is a list in a string. The string of another claim is one role,
// whatever is in it.
bool is_scope(std::string_view path)
{
    const std::string_view name = path.substr(path.rfind('.') + 1);
    return name == "scope" || name == "scp";
}

std::vector<std::string> split(std::string_view scope)
{
    std::vector<std::string> words;
    while (!scope.empty()) {
        const std::string_view word = scope.substr(0, scope.find(' '));
        scope.remove_prefix(std::min(word.size() + 1, scope.size()));
        if (!word.empty()) {
            words.emplace_back(word);
        }
    }
    return words;
}

core::result<std::vector<std::string>> read_roles(const core::value& claims, std::string_view path)
{
    std::vector<std::string> roles;
    const core::value* found = find_claim(claims, path);
    if (!found || found->is_null()) {
        return roles;
    }
    if (const std::string* one = found->as_string()) {
        return is_scope(path) ? split(*one) : std::vector{*one};
    }
    const std::string name = "the token's '" + std::string(path) + "'";
    const core::list* several = found->as_list();
    if (!several || several->size() > most_roles) {
        return invalid(name + " is neither a role nor a list of at most 1000 roles");
    }
    for (const core::value& each : *several) {
        if (!each.as_string()) {
            return invalid(name + " has a role that is not a string");
        }
        roles.push_back(*each.as_string());
    }
    return roles;
}

core::result<std::string> read_subject(const core::value& claims)
{
    const core::value* found = claims.find("sub");
    if (!found) {
        return std::string();
    }
    if (const std::string* text = found->as_string()) {
        return *text;
    }
    // Against RFC 7519, but common.
    if (const core::number* number = found->as_number()) {
        return number->digits;
    }
    return invalid("the token's 'sub' is not a string");
}

} // namespace

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

core::result<identity> identify(core::value claims, std::string_view roles_claim)
{
    auto subject = read_subject(claims);
    auto roles = read_roles(claims, roles_claim);
    if (!subject || !roles) {
        return !subject ? subject.error() : roles.error();
    }
    return identity{std::move(*subject), std::move(*roles), std::move(claims), std::nullopt};
}

} // namespace rowcast::policy
