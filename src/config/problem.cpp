#include "config/problem.hpp"

#include <algorithm>
#include <tuple>

namespace rowcast::config {

void sort_by_place(std::vector<problem>& found)
{
    const auto place = [](const problem& of) { return std::tuple(of.at.line == 0, of.at.line, of.at.column); };
    std::stable_sort(found.begin(), found.end(),
                     [&](const problem& left, const problem& right) { return place(left) < place(right); });
}

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
    return text + (found.how_bad == problem::weight::warning ? ": warning: " : ": error: ") + found.message;
}

} // namespace rowcast::config
