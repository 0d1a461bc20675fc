#include "core/excerpt.hpp"
#include "core/nearest.hpp"
#include "policy/array.hpp"
#include "policy/bound_node.hpp"
#include "policy/document.hpp"
#include "policy/pattern.hpp"

#include <algorithm>
#include <array>

namespace rowcast::policy {
namespace {

using node = bound_predicate::node;
using node_ptr = std::shared_ptr<const node>;
using comparison = node::comparison;

// Of a jsonb that is to be contained: each costs a look at every part of the row's.
constexpr std::size_t most_contained_parts = 256;

std::string_view name(predicate::op which)
{
    constexpr std::array<std::string_view, 12> names = {"eq", "neq", "gt", "gte",  "lt",    "lte",
                                                        "in", "nin", "is", "like", "ilike", "contains"};
    return names[static_cast<std::size_t>(which)];
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
        bool unknown = false;            // whatever the rest is
    };

    [[noreturn]] static void refuse(const predicate::condition& condition, const std::string& why)
    {
        throw refusal{{core::error_code::bad_filter, "column " + core::excerpt(condition.column) + ": " + why}, condition.at};
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
        if (const auto* literal = std::get_if<core::value>(&source.right)) {
            add_literal(right, source, over, made.how, *literal);
        } else if (const auto& named = std::get<predicate::reference>(source.right);
                   named.from == predicate::reference::kind::sets) {
            if (!is_list(source)) {
                refuse(source, "$sets." + named.name() + " has many values; write {in: $sets." + named.name() + "}");
            }
            return compare_with_set(std::move(made), named.name());
        } else {
            add_claim(right, source, over, made.how, who_ ? find_claim(who_->claims, named.name()) : nullptr);
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
                                                             core::excerpt(source.column) +
                                                             core::did_you_mean(source.column, names)},
                      source.at};
    }

    // Which comparison this is, if the column's type has it and it can be decided here as PostgreSQL does.
    static comparison how(const predicate::condition& source, const column& over)
    {
        using op = predicate::op;
        switch (source.comparison) {
        case op::is:
            return test(source, over);
        case op::contains:
            return containment(source, over);
        case op::like:
        case op::ilike:
            return pattern(source, over);
        default:
            break;
        }
        refuse_incomparable(source, over);
        if (source.comparison == op::eq || source.comparison == op::in) {
            return comparison::any_of;
        }
        if (source.comparison == op::neq || source.comparison == op::nin) {
            return comparison::none_of;
        }
        if (!is_ordered(over)) {
            refuse(source,
                   over.family == type_family::text || over.family == type_family::padded_text
                       ? "only PostgreSQL knows the order of its collation; give the column COLLATE \"C\" for '" +
                             std::string(name(source.comparison)) + "'"
                       : "the operator '" + std::string(name(source.comparison)) + "' is not available for " +
                             over.type);
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

    static void refuse_incomparable(const predicate::condition& source, const column& over)
    {
        switch (over.family) {
        case type_family::json:
            refuse(source, "PostgreSQL has no equality for json; make the column jsonb, or write {is: null}");
        case type_family::array:
            refuse(source, "arrays have only {contains: [...]} and {is: null} here: = also compares their bounds, "
                           "which no JSON tells");
        case type_family::collated_text:
            refuse(source, "which texts are equal under its nondeterministic collation is known to PostgreSQL alone; "
                           "there is only {is: null} and {is: not null}");
        case type_family::other:
            refuse(source, "values of type " + over.type +
                               " cannot be compared here; there is only {is: null} and {is: not null}");
        default:
            break;
        }
    }

    static comparison containment(const predicate::condition& source, const column& over)
    {
        if (over.family != type_family::jsonb && over.family != type_family::array) {
            refuse(source, "'contains' is for arrays and jsonb, and this is of type " + over.type +
                               (over.family == type_family::text ? "; there is {like: %part%}" : ""));
        }
        if (over.family == type_family::array && !is_scalar(over.element)) {
            refuse(source, "values of type " + over.type +
                               " cannot be compared here; there is only {is: null} and {is: not null}");
        }
        return comparison::contains;
    }

    static comparison pattern(const predicate::condition& source, const column& over)
    {
        const std::string word(name(source.comparison));
        if (over.family != type_family::text && over.family != type_family::padded_text) {
            refuse(source, "'" + word + "' is for texts of a deterministic collation, and this is of type " + over.type);
        }
        if (source.comparison == predicate::op::ilike && !over.code_points) {
            refuse(source, "only PostgreSQL knows the upper and lower case of its collation; give the column COLLATE "
                           "\"C\" (which knows ASCII's), or use 'like'");
        }
        return source.comparison == predicate::op::like ? comparison::like : comparison::ilike;
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

    static void add_literal(operands& to, const predicate::condition& source, const column& over, comparison how,
                            const core::value& literal)
    {
        const bool many = is_list(source) || over.family == type_family::array;
        if (const core::list* items = many ? literal.as_list() : nullptr) {
            for (const core::value& item : *items) {
                add_literal_item(to, source, over, how, item);
            }
        } else if (over.family == type_family::array) {
            const auto elements = literal.as_string() ? read_array(*literal.as_string()) : std::nullopt;
            if (!elements) {
                refuse(source, core::excerpt(spelling(literal).value_or("{")) + " is not " +
                                   std::string(describe(type_family::array)));
            }
            for (const auto& each : *elements) {
                add_literal_item(to, source, over, how, each ? core::value{*each} : core::value{});
            }
        } else {
            add_literal_item(to, source, over, how, literal);
        }
    }

    static void add_literal_item(operands& to, const predicate::condition& source, const column& over, comparison how,
                                 const core::value& item)
    {
        if (item.is_null()) {
            to.null = true;
            return;
        }
        const bool is_json = over.family == type_family::jsonb && !item.as_string();
        const auto text = is_json ? core::to_json(item) : spelling(item);
        auto value = text ? read(over, how, *text) : std::nullopt;
        if (!value) {
            refuse(source, core::excerpt(text.value_or("")) + " is not " + wanted(over, how) + ", as values of type " +
                               over.type + " are");
        }
        to.values.push_back(std::move(*value));
    }

    static bool is_label(const column& over, std::string_view text)
    {
        return over.labels.empty() || std::find(over.labels.begin(), over.labels.end(), text) != over.labels.end();
    }

    static bool is_list(const predicate::condition& source)
    {
        return source.comparison == predicate::op::in || source.comparison == predicate::op::nin;
    }

    // The canonical form of a literal, if it is one.
    static std::optional<std::string> read(const column& over, comparison how, const std::string& text)
    {
        if (how == comparison::like || how == comparison::ilike) {
            const bool usable = text.size() <= longest_pattern && !ends_in_escape(text) &&
                                text.find('\0') == std::string::npos;
            return !usable ? std::nullopt : std::optional(how == comparison::ilike ? fold(text) : text);
        }
        const type_family family = over.family == type_family::array ? over.element : over.family;
        auto value = is_label(over, text) ? canonical_literal(family, text) : std::nullopt;
        if (value && how == comparison::contains && family == type_family::jsonb &&
            count_parts(*read_document(*value)) > most_contained_parts) {
            return std::nullopt;
        }
        return value;
    }

    static std::string wanted(const column& over, comparison how)
    {
        if (how == comparison::like || how == comparison::ilike) {
            return "a pattern of at most " + std::to_string(longest_pattern) +
                   " bytes that does not end in its escape character";
        }
        if (over.family == type_family::jsonb && how == comparison::contains) {
            return std::string(describe(over.family)) + " of at most " + std::to_string(most_contained_parts) + " parts";
        }
        return std::string(describe(over.family == type_family::array ? over.element : over.family));
    }

    // What cannot be compared with the column counts as null, never as an error: it says who the user is, and nobody
    // may see more for it. A claim is itself, whatever it looks like: in `{1,2}` or `[1]` nobody looks for a list.
    static void add_claim(operands& to, const predicate::condition& source, const column& over, comparison how,
                          const core::value* claim)
    {
        const bool many = is_list(source) || over.family == type_family::array;
        const core::list* items = claim && many ? claim->as_list() : nullptr;
        const std::size_t count = items ? items->size() : 1;
        for (std::size_t i = 0; i < count; ++i) {
            const core::value* item = items ? &(*items)[i] : claim;
            auto text = item ? spelling(*item) : std::nullopt;
            if (item && over.family == type_family::jsonb && !item->is_null()) {
                text = core::to_json(*item);
            }
            if (auto value = text ? read(over, how, *text) : std::nullopt) {
                to.values.push_back(std::move(*value));
            } else {
                (how == comparison::contains ? to.unknown : to.null) = true;
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
        set_value::members members = set->in(made.over->family);
        // A label that the type does not have equals none, so that it may stand among the values.
        members.null = members.null || (made.over->family == type_family::enumeration &&
                                        !std::all_of(set->texts().begin(), set->texts().end(), [&](const std::string& each) {
                                            return is_label(*made.over, each);
                                        }));
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
        // Everything contains nothing; but with nothing to compare with, `in ()` holds for no row, null included, and
        // null compares to unknown.
        if (right.unknown || (right.values.empty() && made.how != comparison::contains)) {
            const bool known = !right.null && !right.unknown;
            const truth always = !known                           ? truth::unknown
                                 : made.how == comparison::any_of ? truth::no
                                                                  : truth::yes;
            return make(node::constant{always, made.over});
        }
        if (made.how == comparison::any_of || made.how == comparison::none_of || made.how == comparison::contains) {
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
