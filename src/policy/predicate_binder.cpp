#include "core/nearest.hpp"
#include "policy/bound_node.hpp"

#include <algorithm>
#include <array>

namespace rowcast::policy {
namespace {

using node = bound_predicate::node;
using node_ptr = std::shared_ptr<const node>;
using comparison = node::comparison;

std::string_view name(predicate::op which)
{
    constexpr std::array<std::string_view, 12> names = {"eq", "neq", "gt", "gte",  "lt",    "lte",
                                                        "in", "nin", "is", "like", "ilike", "contains"};
    return names[static_cast<std::size_t>(which)];
}

std::string quoted(std::string_view text)
{
    constexpr std::size_t most = 60;
    return "'" + std::string(text.substr(0, most)) + (text.size() > most ? "...'" : "'");
}

// A literal's spelling, which PostgreSQL would read as the column's type; nothing for null, lists and objects.
std::optional<std::string> spelling(const core::value& literal)
{
    if (const bool* boolean = literal.as_bool()) {
        return *boolean ? "true" : "false";
    }
    if (const core::number* number = literal.as_number()) {
        return number->digits;
    }
    if (const std::string* text = literal.as_string()) {
        return *text;
    }
    return std::nullopt;
}

node_ptr constant(truth value, const std::string& column)
{
    auto made = std::make_shared<node>();
    made->what = node::constant{value, column};
    made->text = std::array{"n", "u", "y"}[static_cast<std::size_t>(value)];
    append_counted(made->text, column);
    if (value != truth::yes) {
        // Any column would do: without values, none is ever looked up.
        made->index.emplace();
    }
    return made;
}

node_ptr finish(node::condition condition)
{
    auto made = std::make_shared<node>();
    made->text = "c";
    append_counted(made->text, condition.column);
    for (const std::size_t number :
         {static_cast<std::size_t>(condition.family), static_cast<std::size_t>(condition.how),
          std::size_t{condition.null_among_values}}) {
        made->text += std::to_string(number) + ",";
    }
    for (const std::string& value : condition.values) {
        append_counted(made->text, value);
    }
    if (condition.how == comparison::any_of) {
        made->index = bound_predicate::equality{condition.column, condition.values};
    }
    made->what = std::move(condition);
    return made;
}

// Of parts that must all hold, the condition with the fewest values.
std::optional<bound_predicate::equality> narrowest(const std::vector<node_ptr>& parts)
{
    const bound_predicate::equality* best = nullptr;
    for (const node_ptr& part : parts) {
        if (part->index && (!best || part->index->values.size() < best->values.size())) {
            best = &*part->index;
        }
    }
    return best ? std::optional(*best) : std::nullopt;
}

// Of parts of which one must hold, all their values, where they are of one column.
std::optional<bound_predicate::equality> union_of(const std::vector<node_ptr>& parts)
{
    bound_predicate::equality all;
    for (const node_ptr& part : parts) {
        if (!part->index) {
            return std::nullopt;
        }
        if (part->index->values.empty()) {
            continue;
        }
        if (!all.column.empty() && all.column != part->index->column) {
            return std::nullopt;
        }
        all.column = part->index->column;
        all.values.insert(all.values.end(), part->index->values.begin(), part->index->values.end());
    }
    std::sort(all.values.begin(), all.values.end());
    all.values.erase(std::unique(all.values.begin(), all.values.end()), all.values.end());
    return all;
}

// The order and repetition of parts do not matter, so that `{a, b}` and `{b, a}` share a view.
node_ptr finish(predicate::group::kind of, std::vector<node_ptr> parts)
{
    const auto by_text = [](const node_ptr& left, const node_ptr& right) { return left->text < right->text; };
    const auto same_text = [](const node_ptr& left, const node_ptr& right) { return left->text == right->text; };
    std::sort(parts.begin(), parts.end(), by_text);
    parts.erase(std::unique(parts.begin(), parts.end(), same_text), parts.end());

    auto made = std::make_shared<node>();
    made->text = std::array{"all(", "any(", "none("}[static_cast<std::size_t>(of)];
    for (const node_ptr& part : parts) {
        append_counted(made->text, part->text);
    }
    made->text += ")";
    if (of != predicate::group::kind::none) {
        made->index = of == predicate::group::kind::all ? narrowest(parts) : union_of(parts);
    }
    made->what = node::group{of, std::move(parts)};
    return made;
}

class binder {
public:
    binder(const table& over, const identity* who)
        : over_(over)
        , who_(who)
    {
    }

    struct refusal {
        core::failure why;
        core::mark at;
    };

    node_ptr bind(const predicate& source) const
    {
        if (source.always()) {
            return finish(predicate::group::kind::all, {});
        }
        if (const auto* only = std::get_if<predicate::condition>(&source.node())) {
            return bind(*only);
        }
        const auto& group = std::get<predicate::group>(source.node());
        std::vector<node_ptr> parts;
        for (const predicate& part : group.parts) {
            parts.push_back(bind(part));
        }
        return finish(group.of, std::move(parts));
    }

private:
    [[noreturn]] static void refuse(const predicate::condition& condition, const std::string& why)
    {
        throw refusal{{core::error_code::bad_filter, "column " + quoted(condition.column) + ": " + why}, condition.at};
    }

    node_ptr bind(const predicate::condition& source) const
    {
        const column& over = find(source);
        node::condition made{source.column, static_cast<std::size_t>(&over - over_.columns.data()), over.family, {}, {},
                             false};
        made.how = how(source, over);
        if (made.how >= comparison::is_null) {
            return finish(std::move(made));
        }
        const bool many = source.comparison == predicate::op::in || source.comparison == predicate::op::nin;
        if (const auto* literal = std::get_if<core::value>(&source.right)) {
            if (const core::list* items = many ? literal->as_list() : nullptr) {
                for (const core::value& item : *items) {
                    add_literal(made, source, over, item);
                }
            } else {
                add_literal(made, source, over, *literal);
            }
        } else {
            add_claim(made, over, claim(source), many);
        }
        return simplify(std::move(made));
    }

    const column& find(const predicate::condition& source) const
    {
        if (const column* found = over_.find(source.column)) {
            return *found;
        }
        std::vector<std::string_view> names;
        for (const column& each : over_.columns) {
            names.push_back(each.name);
        }
        throw refusal{{core::error_code::unknown_column, over_.name + " has no captured column " +
                                                             quoted(source.column) +
                                                             core::did_you_mean(source.column, names)},
                      source.at};
    }

    // Which comparison this is, if the column's type has it.
    static comparison how(const predicate::condition& source, const column& over)
    {
        using op = predicate::op;
        if (source.comparison == op::is) {
            return test(source, over);
        }
        if (over.family == type_family::other) {
            refuse(source, "values of type " + over.type +
                               " cannot be compared here; there is only {is: null} and {is: not null}");
        }
        if (source.comparison == op::eq || source.comparison == op::in) {
            return comparison::any_of;
        }
        if (source.comparison == op::neq || source.comparison == op::nin) {
            return comparison::none_of;
        }
        if (source.comparison > op::lte) {
            refuse(source, "the operator '" + std::string(name(source.comparison)) + "' is not available yet");
        }
        if (!is_ordered(over.family)) {
            refuse(source, "the operator '" + std::string(name(source.comparison)) +
                               "' is not available yet for values of type " + over.type);
        }
        switch (source.comparison) {
        case op::gt:
            return comparison::greater;
        case op::gte:
            return comparison::at_least;
        case op::lt:
            return comparison::less;
        default:
            return comparison::at_most;
        }
    }

    static comparison test(const predicate::condition& source, const column& over)
    {
        const core::value& right = std::get<core::value>(source.right);
        const std::string word = right.is_null() ? "null" : spelling(right).value_or("");
        if (word == "null") {
            return comparison::is_null;
        }
        if (word == "not null" || word == "not_null") {
            return comparison::is_not_null;
        }
        if (over.family != type_family::boolean) {
            refuse(source, "{is: " + word + "} is for booleans, and this is of type " + over.type);
        }
        return word == "true" ? comparison::is_true : word == "false" ? comparison::is_false : comparison::is_unknown;
    }

    static void add_literal(node::condition& to, const predicate::condition& source, const column& over,
                            const core::value& literal)
    {
        if (literal.is_null()) {
            to.null_among_values = true;
            return;
        }
        const std::string text = spelling(literal).value_or("");
        auto value = canonical_literal(over.family, text);
        if (!value) {
            refuse(source, quoted(text) + " is not " + std::string(describe(over.family)) + ", as values of type " +
                               over.type + " are");
        }
        to.values.push_back(std::move(*value));
    }

    // What cannot be compared with the column counts as null, never as an error: it says who the user is, and nobody
    // may see more for it.
    static void add_claim(node::condition& to, const column& over, const core::value* claim, bool many)
    {
        const core::list* items = claim && many ? claim->as_list() : nullptr;
        const std::size_t count = items ? items->size() : 1;
        for (std::size_t i = 0; i < count; ++i) {
            const core::value* item = items ? &(*items)[i] : claim;
            const auto text = item ? spelling(*item) : std::nullopt;
            if (auto value = text ? canonical_literal(over.family, *text) : std::nullopt) {
                to.values.push_back(std::move(*value));
            } else {
                to.null_among_values = true;
            }
        }
    }

    const core::value* claim(const predicate::condition& source) const
    {
        const auto& reference = std::get<predicate::reference>(source.right);
        if (reference.from == predicate::reference::kind::sets) {
            refuse(source, "sets ($sets." + (reference.path.empty() ? std::string() : reference.path.front()) +
                               ") are not available yet");
        }
        std::string path;
        for (const std::string& step : reference.path) {
            path += path.empty() ? step : "." + step;
        }
        return who_ ? find_claim(who_->claims, path) : nullptr;
    }

    static node_ptr simplify(node::condition made)
    {
        const bool one_of = made.how == comparison::any_of || made.how == comparison::none_of;
        if (made.values.empty()) {
            // Nothing to compare with: `in ()` holds for no row, null included, and null compares to unknown.
            if (made.null_among_values) {
                return constant(truth::unknown, made.column);
            }
            return constant(made.how == comparison::any_of ? truth::no : truth::yes, made.column);
        }
        if (one_of) {
            std::sort(made.values.begin(), made.values.end());
            made.values.erase(std::unique(made.values.begin(), made.values.end()), made.values.end());
        }
        return finish(std::move(made));
    }

    const table& over_;
    const identity* who_;
};

} // namespace

core::result<bound_predicate> bound_predicate::bind(const predicate& source, const table& over, const identity* who,
                                                    core::mark* at)
{
    bound_predicate bound;
    if (source.always()) {
        return bound;
    }
    try {
        bound.node_ = binder(over, who).bind(source);
    } catch (binder::refusal& refused) {
        if (at) {
            *at = refused.at;
        }
        return std::move(refused.why);
    }
    return bound;
}

} // namespace rowcast::policy
