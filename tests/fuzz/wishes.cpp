#include "fuzz/wishes.hpp"

#include <algorithm>

#include "core/cursor.hpp"
#include "fuzz/fuzzer.hpp"

namespace rowcast::fuzz {
namespace {

using policy::predicate;

std::size_t depth(const predicate& of)
{
    const auto* group = of.always() ? nullptr : std::get_if<predicate::group>(&of.node());
    std::size_t deepest = 0;
    if (group) {
        for (const predicate& part : group->parts) {
            deepest = std::max(deepest, depth(part));
        }
    }
    return deepest + (group ? 1 : 0);
}

std::string describe(const predicate& of)
{
    if (of.always()) {
        return "always";
    }
    if (const auto* only = std::get_if<predicate::condition>(&of.node())) {
        return only->column + " " + std::string(to_string(only->comparison)) + " " + core::to_json(std::get<core::value>(only->right));
    }
    const auto& group = std::get<predicate::group>(of.node());
    std::string out = std::to_string(static_cast<int>(group.of)) + "(";
    for (const predicate& part : group.parts) {
        out += describe(part) + ",";
    }
    return out + ")";
}

} // namespace

void must_be_within_limits(const protocol::wish& wanted)
{
    must(wanted.id.size() <= protocol::longest_id, "an id has its limit");
    must(!wanted.after || wanted.after->size() <= core::cursor_codec::longest, "a cursor has its limit");
    if (const auto* channel = std::get_if<protocol::wish::channel>(&wanted.to)) {
        must(!channel->name.empty() && channel->name.size() <= protocol::longest_name, "a name has its limit");
        return;
    }
    const auto& table = std::get<protocol::wish::table>(wanted.to);
    must(!table.name.empty() && table.name.size() <= protocol::longest_name, "a name has its limit");
    must(!table.wanted.columns || (!table.wanted.columns->empty() && table.wanted.columns->size() <= protocol::most_columns),
         "columns have their limit");
    std::vector<std::string> named;
    std::vector<const predicate::condition*> references;
    table.wanted.where.columns(named);
    table.wanted.where.references(references);
    must(named.size() <= predicate::most_conditions, "conditions have their limit");
    must(references.empty(), "a client's filter refers to nothing");
    must(depth(table.wanted.where) <= 2 * predicate::deepest + 2, "a filter's depth has its limit");
}

std::string describe(const protocol::wish& wanted)
{
    std::string out = wanted.id + (wanted.snapshot ? " snapshot" : "") + " after " + wanted.after.value_or("nothing");
    if (const auto* channel = std::get_if<protocol::wish::channel>(&wanted.to)) {
        return out + " channel " + channel->name;
    }
    const auto& table = std::get<protocol::wish::table>(wanted.to);
    out += " table " + table.name + (table.wanted.old ? " old" : "") + " where " + describe(table.wanted.where);
    for (const core::operation event : table.events) {
        out += " " + std::string(to_string(event));
    }
    for (const std::string& column : table.wanted.columns.value_or(std::vector<std::string>())) {
        out += " column " + column;
    }
    return out;
}

} // namespace rowcast::fuzz
