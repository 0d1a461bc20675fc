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

template <class What>
node_ptr make(What what)
{
    return std::make_shared<const node>(node{std::move(what)});
}

// The order and repetition of parts do not matter, so that `{a, b}` and `{b, a}` share a view.
node_ptr make_group(predicate::group::kind of, std::vector<node_ptr> parts)
{
    std::vector<std::pair<std::string, node_ptr>> by_text;
    for (node_ptr& part : parts) {
        std::string text;
        append_text(text, *part);
        by_text.emplace_back(std::move(text), std::move(part));
    }
    const auto same_text = [](const auto& left, const auto& right) { return left.first == right.first; };
    std::sort(by_text.begin(), by_text.end());
    by_text.erase(std::unique(by_text.begin(), by_text.end(), same_text), by_text.end());
    parts.clear();
    for (auto& [text, part] : by_text) {
        parts.push_back(std::move(part));
    }
    return make(node::group{of, std::move(parts)});
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
            return make_group(predicate::group::kind::all, {});
        }
        if (const auto* only = std::get_if<predicate::condition>(&source.node())) {
            return bind(*only);
        }
        const auto& group = std::get<predicate::group>(source.node());
        std::vector<node_ptr> parts;
        for (const predicate& part : group.parts) {
            parts.push_back(bind(part));
        }
        return make_group(group.of, std::move(parts));
    }

private:
    // What a column is compared with.
    struct operands {
        std::vector<std::string> values; // canonical
        bool null = false;               // among them
    };

    [[noreturn]] static void refuse(const predicate::condition& condition, const std::string& why)
    {
        throw refusal{{core::error_code::bad_filter, "column " + quoted(condition.column) + ": " + why}, condition.at};
    }

    node_ptr bind(const predicate::condition& source) const
    {
        const column& over = find(source);
        node::condition made{&over, static_cast<std::uint16_t>(&over - over_.columns.data()), how(source, over), false,
                             nullptr};
        if (made.how >= comparison::is_null) {
            return make(std::move(made));
        }
        operands right;
        const bool many = source.comparison == predicate::op::in || source.comparison == predicate::op::nin;
        if (const auto* literal = std::get_if<core::value>(&source.right)) {
            if (const core::list* items = many ? literal->as_list() : nullptr) {
                for (const core::value& item : *items) {
                    add_literal(right, source, over, item);
                }
            } else {
                add_literal(right, source, over, *literal);
            }
        } else if (const auto& named = std::get<predicate::reference>(source.right);
                   named.from == predicate::reference::kind::sets) {
            if (!many) {
                refuse(source, "$sets." + named.name() + " has many values; write {in: $sets." + named.name() + "}");
            }
            return compare_with_set(std::move(made), named.name());
        } else {
            add_claim(right, over, who_ ? find_claim(who_->claims, named.name()) : nullptr, many);
        }
        return compare_with(std::move(made), std::move(right));
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

    static void add_literal(operands& to, const predicate::condition& source, const column& over,
                            const core::value& literal)
    {
        if (literal.is_null()) {
            to.null = true;
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
    static void add_claim(operands& to, const column& over, const core::value* claim, bool many)
    {
        const core::list* items = claim && many ? claim->as_list() : nullptr;
        const std::size_t count = items ? items->size() : 1;
        for (std::size_t i = 0; i < count; ++i) {
            const core::value* item = items ? &(*items)[i] : claim;
            const auto text = item ? spelling(*item) : std::nullopt;
            if (auto value = text ? canonical_literal(over.family, *text) : std::nullopt) {
                to.values.push_back(std::move(*value));
            } else {
                to.null = true;
            }
        }
    }

    // One that is not there counts as null, as a claim does.
    node_ptr compare_with_set(node::condition made, const std::string& name) const
    {
        const auto found = who_ ? who_->sets.find(name) : decltype(who_->sets)::const_iterator();
        if (!who_ || found == who_->sets.end()) {
            return compare_with(std::move(made), {{}, true});
        }
        const set_value_ptr& set = found->second;
        const set_value::members members = set->in(made.over->family);
        if (members.values->empty()) {
            return compare_with(std::move(made), {{}, members.null});
        }
        made.set = set.get();
        made.values = {set, members.values.get()};
        made.null_among_values = members.null;
        return make(std::move(made));
    }

    static node_ptr compare_with(node::condition made, operands right)
    {
        if (right.values.empty()) {
            // Nothing to compare with: `in ()` holds for no row, null included, and null compares to unknown.
            const truth always = right.null                             ? truth::unknown
                                 : made.how == comparison::any_of ? truth::no
                                                                        : truth::yes;
            return make(node::constant{always, made.over});
        }
        if (made.how == comparison::any_of || made.how == comparison::none_of) {
            std::sort(right.values.begin(), right.values.end());
            right.values.erase(std::unique(right.values.begin(), right.values.end()), right.values.end());
        }
        made.null_among_values = right.null;
        right.values.shrink_to_fit();
        made.values = std::make_shared<const std::vector<std::string>>(std::move(right.values));
        return make(std::move(made));
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
