#include "policy/array.hpp"

#include "policy/literal_text.hpp"
#include "policy/scalar.hpp"

#include <algorithm>

namespace rowcast::policy {
namespace {

// How long the scalar at the beginning of the JSON text is.
std::size_t scalar_size(std::string_view json)
{
    if (json.front() != '"') {
        return std::min(json.find_first_of(",] \t\n\r"), json.size());
    }
    std::size_t end = 1;
    while (end < json.size() && json[end] != '"') {
        end += json[end] == '\\' ? 2 : 1;
    }
    return std::min(end + 1, json.size());
}

// Takes a quoted element, its first quote taken already.
std::optional<std::string> take_quoted(std::string_view& rest)
{
    std::string read;
    while (!rest.empty() && rest.front() != '"') {
        rest.remove_prefix(rest.front() == '\\' ? 1 : 0);
        if (rest.empty()) {
            return std::nullopt;
        }
        read += rest.front();
        rest.remove_prefix(1);
    }
    if (rest.empty()) {
        return std::nullopt;
    }
    rest.remove_prefix(1);
    return read;
}

} // namespace

std::optional<std::vector<std::string>> canonical_elements(type_family element, std::string_view json)
{
    if (!json.starts_with('[')) {
        return std::nullopt;
    }
    std::vector<std::string> elements;
    while (!json.empty()) {
        if (std::string_view("[], \t\n\r").find(json.front()) != std::string_view::npos) {
            json.remove_prefix(1);
            continue;
        }
        const std::size_t size = scalar_size(json);
        if (auto value = canonical(element, json.substr(0, size))) {
            elements.push_back(std::move(*value));
        }
        json.remove_prefix(size);
    }
    return elements;
}

std::optional<std::vector<std::optional<std::string>>> read_array(std::string_view literal)
{
    std::string_view rest = trim(literal);
    if (rest.size() < 2 || rest.front() != '{' || rest.back() != '}') {
        return std::nullopt;
    }
    rest = trim(rest.substr(1, rest.size() - 2));
    std::vector<std::optional<std::string>> elements;
    while (!rest.empty()) {
        if (rest.front() == '"') {
            rest.remove_prefix(1);
            auto element = take_quoted(rest);
            if (!element) {
                return std::nullopt;
            }
            elements.push_back(std::move(*element));
        } else {
            const std::size_t end = std::min(rest.find(','), rest.size());
            const std::string_view element = trim(rest.substr(0, end));
            if (element.empty() || element.find_first_of("{}\"\\") != std::string_view::npos) {
                return std::nullopt;
            }
            elements.push_back(is_word(element, "null") ? std::nullopt : std::optional(std::string(element)));
            rest.remove_prefix(end);
        }
        rest = trim(rest);
        if (rest.empty()) {
            break;
        }
        if (rest.front() != ',' || trim(rest.substr(1)).empty()) {
            return std::nullopt;
        }
        rest = trim(rest.substr(1));
    }
    return elements;
}

} // namespace rowcast::policy
