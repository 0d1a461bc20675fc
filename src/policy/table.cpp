#include "policy/table.hpp"

#include <algorithm>

namespace rowcast::policy {

const column* table::find(std::string_view column_name) const
{
    const auto found =
        std::find_if(columns.begin(), columns.end(), [&](const column& each) { return each.name == column_name; });
    return found == columns.end() ? nullptr : &*found;
}

bool table::is_key(std::string_view column_name) const
{
    return std::find(key.begin(), key.end(), column_name) != key.end();
}

std::shared_ptr<const table> catalog::find(std::string_view table_name) const
{
    const auto found = tables.find(table_name);
    return found == tables.end() ? nullptr : found->second;
}

bool catalog::operator==(const catalog& other) const
{
    return std::equal(
        tables.begin(), tables.end(), other.tables.begin(), other.tables.end(),
        [](const auto& left, const auto& right) { return left.first == right.first && *left.second == *right.second; });
}

} // namespace rowcast::policy
