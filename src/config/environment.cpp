#include "config/environment.hpp"

#include <algorithm>
#include <cstdlib>

namespace rowcast::config {
namespace {

bool is_name(std::string_view text)
{
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    return !text.empty() && letter(text.front()) &&
           std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

} // namespace

environment process_environment()
{
    return [](const std::string& name) -> std::optional<std::string> {
        const char* const value = std::getenv(name.c_str());
        return value ? std::optional<std::string>(value) : std::nullopt;
    };
}

std::variant<expansion, std::string> expand(std::string_view text, const environment& names)
{
    expansion made;
    while (!text.empty()) {
        const std::size_t dollar = std::min(text.find('$'), text.size());
        made.text += text.substr(0, dollar);
        text.remove_prefix(dollar);
        if (text.starts_with("$${")) {
            made.text += "${";
            made.expanded = true;
            text.remove_prefix(3);
            continue;
        }
        if (!text.starts_with("${")) {
            made.text += text.substr(0, 1);
            text.remove_prefix(std::min<std::size_t>(1, text.size()));
            continue;
        }
        const std::size_t end = text.find('}');
        if (end == std::string_view::npos) {
            return std::string("has '${' without its '}'; write $${ where the text is meant");
        }
        const std::string_view inside = text.substr(2, end - 2);
        const std::size_t mark = inside.find(":-");
        const std::string name(inside.substr(0, mark));
        if (!is_name(name)) {
            return "'${" + std::string(inside) +
                   "}' is not ${NAME} or ${NAME:-default}; write $${ where the text is meant";
        }
        const auto value = names(name);
        if (mark == std::string_view::npos) {
            if (!value) {
                return "the environment variable " + name + " is not set; set it, or write ${" + name + ":-default}";
            }
            made.text += *value;
        } else {
            made.text += value && !value->empty() ? *value : std::string(inside.substr(mark + 2));
        }
        made.expanded = true;
        text.remove_prefix(end + 1);
    }
    return made;
}

} // namespace rowcast::config
