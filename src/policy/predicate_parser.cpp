#include "core/excerpt.hpp"
#include "core/nearest.hpp"
#include "policy/predicate.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace rowcast::policy {
namespace {

using core::value;

// In the order of predicate::op.
constexpr std::array<std::string_view, 12> operators = {"eq", "neq", "gt", "gte",  "lt",    "lte",
                                                        "in", "nin", "is", "like", "ilike", "contains"};
constexpr std::array<std::string_view, 3> connectives = {"and", "or", "not"};
constexpr std::array<std::string_view, 6> tests = {"null", "not null", "not_null", "true", "false", "unknown"};

std::optional<predicate::op> to_operator(std::string_view word)
{
    const auto found = std::find(operators.begin(), operators.end(), word);
    if (found == operators.end()) {
        return std::nullopt;
    }
    return static_cast<predicate::op>(found - operators.begin());
}

// Walks the tree once. A failure is thrown inside and caught in `parse`, so that each rule below is one line.
class reader {
public:
    explicit reader(bool references)
        : references_(references)
    {
    }

    struct refusal {
        std::string message;
        core::mark at;
    };

    predicate all_of(const value& tree, const std::string& path, std::size_t depth)
    {
        const core::object* members = tree.as_object();
        if (!members) {
            refuse(tree, path,
                   "is " + std::string(tree.kind()) + "; an object of conditions is wanted, like {status: open}");
        }
        if (depth > predicate::deepest) {
            refuse(tree, path, "is nested deeper than " + std::to_string(predicate::deepest) + " levels");
        }
        std::vector<predicate> parts;
        for (const auto& [name, item] : *members) {
            add_member(parts, name, item, path + "." + core::beginning(name), depth);
        }
        return together(predicate::group::kind::all, std::move(parts));
    }

private:
    [[noreturn]] static void refuse(const value& where, const std::string& path, const std::string& why)
    {
        throw refusal{path + " " + why, where.at};
    }

    static predicate together(predicate::group::kind kind, std::vector<predicate> parts)
    {
        if (kind != predicate::group::kind::none) {
            if (parts.empty()) {
                return {};
            }
            if (parts.size() == 1) {
                return std::move(parts.front());
            }
        }
        return predicate(predicate::group{kind, std::move(parts)});
    }

    void add_member(std::vector<predicate>& out, const std::string& name, const value& item, const std::string& path,
                    std::size_t depth)
    {
        if (name == "and" || name == "or") {
            const core::list* alternatives = item.as_list();
            if (!alternatives || alternatives->empty()) {
                refuse(item, path, "must be a list of conditions, like [{status: open}, {status: paid}]");
            }
            std::vector<predicate> parts;
            for (std::size_t i = 0; i < alternatives->size(); ++i) {
                parts.push_back(all_of((*alternatives)[i], path + "[" + std::to_string(i) + "]", depth + 1));
            }
            out.push_back(
                together(name == "or" ? predicate::group::kind::any : predicate::group::kind::all, std::move(parts)));
        } else if (name == "not") {
            out.push_back(together(predicate::group::kind::none, {all_of(item, path, depth + 1)}));
        } else if (name.empty()) {
            refuse(item, path, "has no name; a column is wanted");
        } else {
            add_column(out, name, item, path);
        }
    }

    void add_column(std::vector<predicate>& out, const std::string& name, const value& item, const std::string& path)
    {
        if (item.is_null()) {
            add(out, {name, predicate::op::is, value{nullptr, item.at}, item.at}, path);
        } else if (item.as_list()) {
            refuse(item, path, "is a list; write {in: [...]} for one of several values");
        } else if (const core::object* members = item.as_object()) {
            if (members->empty()) {
                refuse(item, path, "is an empty object; an operator is wanted, like {gte: 100}");
            }
            for (const auto& [word, right] : *members) {
                add_comparison(out, name, word, right, path);
            }
        } else {
            add(out, {name, predicate::op::eq, scalar(item, path), item.at}, path);
        }
    }

    void add_comparison(std::vector<predicate>& out, const std::string& name, const std::string& word,
                        const value& right, const std::string& column_path)
    {
        const auto comparison = to_operator(word);
        if (!comparison) {
            const bool connective = std::find(connectives.begin(), connectives.end(), word) != connectives.end();
            refuse(right, column_path,
                   connective ? "has '" + word + "' inside; it stands outside of the column: {" + word + ": ... {" +
                                    core::beginning(name) + ": ...}}"
                              : "has no operator '" + core::beginning(word) + "'" + core::did_you_mean(word, operators));
        }
        const std::string path = column_path + "." + word;
        switch (*comparison) {
        case predicate::op::in:
        case predicate::op::nin:
            add(out, {name, *comparison, list(right, path), right.at}, path);
            break;
        case predicate::op::is:
            add(out, {name, *comparison, test(right, path), right.at}, path);
            break;
        case predicate::op::contains:
            add(out, {name, *comparison, right.as_string() ? scalar(right, path) : parts(right, path), right.at}, path);
            break;
        default:
            add(out, {name, *comparison, scalar(right, path), right.at}, path);
        }
    }

    void add(std::vector<predicate>& out, predicate::condition condition, const std::string& path)
    {
        if (++conditions_ > predicate::most_conditions) {
            throw refusal{path + " is one condition too many; at most " + std::to_string(predicate::most_conditions) +
                              " are taken",
                          condition.at};
        }
        out.emplace_back(std::move(condition));
    }

    predicate::operand scalar(const value& item, const std::string& path) const
    {
        if (item.is_null()) {
            refuse(item, path, "compares with null, which is never true; write {is: null} or {is: not null}");
        }
        if (item.as_list() || item.as_object()) {
            refuse(item, path, "is " + std::string(item.kind()) + "; one value is wanted");
        }
        return plain_or_reference(item, path);
    }

    predicate::operand list(const value& item, const std::string& path) const
    {
        if (item.as_string()) {
            auto operand = plain_or_reference(item, path);
            if (std::holds_alternative<predicate::reference>(operand)) {
                return operand;
            }
        }
        const core::list* items = item.as_list();
        if (!items) {
            refuse(item, path, "is " + std::string(item.kind()) + "; a list is wanted, like [open, paid]");
        }
        if (items->size() > predicate::longest_list) {
            refuse(item, path, "has more than " + std::to_string(predicate::longest_list) + " values");
        }
        core::list read;
        for (const value& each : *items) {
            if (each.as_list() || each.as_object()) {
                refuse(each, path, "has " + std::string(each.kind()) + " in it; only plain values may be");
            }
            auto operand = plain_or_reference(each, path);
            if (!std::holds_alternative<value>(operand)) {
                refuse(each, path, "has a reference in its list; write the reference in place of the list");
            }
            read.push_back(std::get<value>(std::move(operand)));
        }
        return value{std::move(read), item.at};
    }

    // What `contains` takes: values within values.
    predicate::operand parts(const value& item, const std::string& path) const
    {
        if (item.is_null()) {
            refuse(item, path, "compares with null, which is never true; write {is: null} or {is: not null}");
        }
        if (const core::list* items = item.as_list(); items && items->size() > predicate::longest_list) {
            refuse(item, path, "has more than " + std::to_string(predicate::longest_list) + " values");
        }
        return within(item, path);
    }

    value within(const value& item, const std::string& path) const
    {
        if (const core::list* items = item.as_list()) {
            core::list read;
            for (const value& each : *items) {
                read.push_back(within(each, path));
            }
            return {std::move(read), item.at};
        }
        if (const core::object* members = item.as_object()) {
            core::object read;
            for (const auto& [name, each] : *members) {
                read.emplace_back(name, within(each, path));
            }
            return {std::move(read), item.at};
        }
        auto operand = plain_or_reference(item, path);
        if (!std::holds_alternative<value>(operand)) {
            refuse(item, path, "has a reference inside; write the reference in place of the whole");
        }
        return std::get<value>(std::move(operand));
    }

    static predicate::operand test(const value& item, const std::string& path)
    {
        const std::string* word = item.as_string();
        const bool known =
            item.is_null() || item.as_bool() || (word && std::find(tests.begin(), tests.end(), *word) != tests.end());
        if (!known) {
            refuse(item, path,
                   "takes null, not null, true, false or unknown" +
                       (word ? core::did_you_mean(*word, tests) : std::string()));
        }
        return item;
    }

    predicate::operand plain_or_reference(const value& item, const std::string& path) const
    {
        const std::string* text = item.as_string();
        if (!text || !text->starts_with('$')) {
            return item;
        }
        const bool claims = text->starts_with("$claims.");
        if (!references_) {
            if (claims || text->starts_with("$sets.")) {
                refuse(item, path, "refers to " + core::beginning(*text) + "; only the rules of the configuration may");
            }
            return item;
        }
        if (text->starts_with("$$")) {
            return value{text->substr(1), item.at};
        }
        if (!claims && !text->starts_with("$sets.")) {
            constexpr std::array<std::string_view, 2> kinds = {"$claims", "$sets"};
            refuse(item, path,
                   "refers to " + core::beginning(*text) +
                       "; there are $claims.NAME and $sets.NAME, and $$ stands for a plain $" +
                       core::did_you_mean(std::string_view(*text).substr(0, text->find('.')), kinds));
        }
        predicate::reference to{claims ? predicate::reference::kind::claims : predicate::reference::kind::sets, {}};
        for (std::string_view rest = std::string_view(*text).substr(text->find('.')); !rest.empty();) {
            rest.remove_prefix(1);
            const std::string_view step = rest.substr(0, rest.find('.'));
            if (step.empty()) {
                refuse(item, path, "refers to " + core::beginning(*text) + ", which has an empty name in it");
            }
            to.path.emplace_back(step);
            rest.remove_prefix(step.size());
        }
        return to;
    }

    bool references_;
    std::size_t conditions_ = 0;
};

} // namespace

std::string_view to_string(predicate::op which)
{
    return operators[static_cast<std::size_t>(which)];
}

core::result<predicate> predicate::parse(const core::value& tree, bool references, core::mark* at)
{
    try {
        return reader(references).all_of(tree, "where", 0);
    } catch (reader::refusal& refused) {
        if (at) {
            *at = refused.at;
        }
        return core::failure{core::error_code::bad_filter, std::move(refused.message)};
    }
}

} // namespace rowcast::policy
