#include "protocol/wish.hpp"

#include <algorithm>
#include <array>

#include "core/excerpt.hpp"
#include "core/nearest.hpp"

namespace rowcast::protocol {
namespace {

using core::excerpt;

core::failure bad(std::string message)
{
    return {core::error_code::bad_request, std::move(message)};
}

} // namespace

core::result<void> check_name(std::string_view what, std::string_view text, std::size_t longest)
{
    if (text.empty()) {
        return bad("'" + std::string(what) + "' is empty");
    }
    if (text.size() > longest) {
        return bad("'" + std::string(what) + "' is longer than " + std::to_string(longest) + " bytes");
    }
    return {};
}

core::result<core::operation> parse_event(std::string_view text)
{
    static constexpr std::array<std::string_view, 3> names{"INSERT", "UPDATE", "DELETE"};
    core::operation op{};
    if (std::find(names.begin(), names.end(), text) == names.end() || !core::from_string(text, op)) {
        return bad("'events' takes INSERT, UPDATE and DELETE, not " + excerpt(text) +
                   " (TRUNCATE is always told)" + core::did_you_mean(text, names));
    }
    return op;
}

core::result<void> add_column(std::vector<std::string>& columns, std::string name)
{
    if (name.empty()) {
        return bad("'columns' has an empty name");
    }
    if (columns.size() == most_columns) {
        return bad("'columns' has more than " + std::to_string(most_columns) + " names");
    }
    if (std::find(columns.begin(), columns.end(), name) != columns.end()) {
        return bad("'columns' has " + excerpt(name) + " twice");
    }
    columns.push_back(std::move(name));
    return {};
}

} // namespace rowcast::protocol
