#include "config/problem.hpp"

#include <algorithm>

namespace rowcast::config {

bool has_errors(const std::vector<problem>& found)
{
    return std::any_of(found.begin(), found.end(),
                       [](const problem& each) { return each.how_bad == problem::weight::error; });
}

std::string to_string(const problem& found, std::string_view file)
{
    std::string text(file);
    if (found.at.line > 0) {
        text += ":" + std::to_string(found.at.line) + ":" + std::to_string(found.at.column);
    }
    return text + (found.how_bad == problem::weight::warning ? ": warning: " : ": ") + found.message;
}

} // namespace rowcast::config
