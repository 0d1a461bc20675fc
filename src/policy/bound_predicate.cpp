#include "policy/array.hpp"
#include "policy/bound_node.hpp"
#include "policy/document.hpp"
#include "policy/pattern.hpp"

#include <algorithm>

namespace rowcast::policy {
namespace {

using node = bound_predicate::node;
using comparison = node::comparison;

truth to_truth(bool value)
{
    return value ? truth::yes : truth::no;
}

truth test(comparison how, std::optional<std::string_view> json)
{
    const bool null = !json || *json == "null";
    switch (how) {
    case comparison::is_not_null:
        return to_truth(!null);
    case comparison::is_true:
        return to_truth(!null && *json == "true");
    case comparison::is_false:
        return to_truth(!null && *json == "false");
    default:
        return to_truth(null);
    }
}

truth order(comparison how, std::partial_ordering order)
{
    if (order == std::partial_ordering::unordered) {
        return truth::unknown;
    }
    switch (how) {
    case comparison::less:
        return to_truth(order < 0);
    case comparison::at_most:
        return to_truth(order <= 0);
    case comparison::greater:
        return to_truth(order > 0);
    default:
        return to_truth(order >= 0);
    }
}

truth match(const node::condition& condition, std::string_view json)
{
    const auto text = core::decode_string(json);
    if (!text) {
        return truth::unknown;
    }
    return to_truth(is_like(condition.how == comparison::ilike ? fold(*text) : *text, condition.values->front()));
}

truth contain(const node::condition& condition, std::string_view json)
{
    if (condition.over->family == type_family::jsonb) {
        const auto whole = json == "null" ? std::nullopt : read_document(json);
        return whole ? to_truth(contains(*whole, *read_document(condition.values->front()))) : truth::unknown;
    }
    auto elements = canonical_elements(condition.over->element, json);
    if (!elements) {
        return truth::unknown;
    }
    std::sort(elements->begin(), elements->end());
    // Null is contained in nothing.
    return to_truth(!condition.null_among_values && std::includes(elements->begin(), elements->end(),
                                                                  condition.values->begin(), condition.values->end()));
}

truth evaluate_condition(const node::condition& condition, std::optional<std::string_view> json)
{
    if (condition.how >= comparison::is_null) {
        return test(condition.how, json);
    }
    if (condition.how >= comparison::contains) {
        return !json                                     ? truth::unknown
               : condition.how == comparison::contains ? contain(condition, *json)
                                                         : match(condition, *json);
    }
    const auto value = json ? canonical(condition.over->family, *json) : std::nullopt;
    if (!value) {
        return truth::unknown;
    }
    if (condition.how != comparison::any_of && condition.how != comparison::none_of) {
        return order(condition.how, compare(*condition.over, *value, condition.values->front()));
    }
    truth found = to_truth(std::binary_search(condition.values->begin(), condition.values->end(), *value));
    if (found == truth::no && condition.null_among_values) {
        found = truth::unknown;
    }
    return condition.how == comparison::any_of ? found : !found;
}

// One walk for both questions: of a whole row (a column that is absent is null) and of a part (it may be anything).
outcomes walk(const node& at, const core::row& row, bool whole)
{
    if (const auto* constant = std::get_if<node::constant>(&at.what)) {
        return constant->value;
    }
    if (const auto* condition = std::get_if<node::condition>(&at.what)) {
        const auto json = row.find(condition->over->name, condition->place);
        return json || whole ? outcomes(evaluate_condition(*condition, json)) : outcomes::any();
    }
    const auto& group = std::get<node::group>(at.what);
    const bool any = group.of == predicate::group::kind::any;
    outcomes sum = any ? truth::no : truth::yes;
    for (const auto& part : group.parts) {
        const outcomes next = walk(*part, row, whole);
        sum = any ? (sum || next) : (sum && next);
        if (sum.is(any ? truth::yes : truth::no)) {
            break;
        }
    }
    return group.of == predicate::group::kind::none ? !sum : sum;
}

void collect_columns(const node& at, std::vector<std::string>& out)
{
    if (const auto* condition = std::get_if<node::condition>(&at.what)) {
        out.push_back(condition->over->name);
    } else if (const auto* constant = std::get_if<node::constant>(&at.what)) {
        out.push_back(constant->over->name);
    } else if (const auto* group = std::get_if<node::group>(&at.what)) {
        for (const auto& part : group->parts) {
            collect_columns(*part, out);
        }
    }
}

using equality = bound_predicate::equality;

std::optional<equality> index_of(const node& at, std::size_t most);

// Of parts that must all hold, the condition with the fewest values.
std::optional<equality> narrowest(const std::vector<std::shared_ptr<const node>>& parts, std::size_t most)
{
    std::optional<equality> best;
    for (const auto& part : parts) {
        auto index = index_of(*part, most);
        if (index && (!best || index->values.size() < best->values.size())) {
            best = std::move(index);
        }
    }
    return best;
}

// Of parts of which one must hold, all their values, where they are of one column.
std::optional<equality> union_of(const std::vector<std::shared_ptr<const node>>& parts, std::size_t most)
{
    equality all;
    for (const auto& part : parts) {
        const auto index = index_of(*part, most - all.values.size());
        if (!index || (all.over && index->over && all.over != index->over)) {
            return std::nullopt;
        }
        all.over = all.over ? all.over : index->over;
        all.values.insert(all.values.end(), index->values.begin(), index->values.end());
    }
    std::sort(all.values.begin(), all.values.end());
    all.values.erase(std::unique(all.values.begin(), all.values.end()), all.values.end());
    return all;
}

std::optional<equality> index_of(const node& at, std::size_t most)
{
    if (const auto* constant = std::get_if<node::constant>(&at.what)) {
        return constant->value == truth::yes ? std::nullopt : std::optional(equality{});
    }
    if (const auto* condition = std::get_if<node::condition>(&at.what)) {
        return condition->how == comparison::any_of && condition->values->size() <= most
                   ? std::optional(equality{condition->over, *condition->values})
                   : std::nullopt;
    }
    const auto& group = std::get<node::group>(at.what);
    switch (group.of) {
    case predicate::group::kind::all:
        return narrowest(group.parts, most);
    case predicate::group::kind::any:
        return union_of(group.parts, most);
    default:
        return std::nullopt;
    }
}

} // namespace

truth bound_predicate::evaluate(const core::row& candidate) const
{
    if (always()) {
        return truth::yes;
    }
    const outcomes only = walk(*node_, candidate, true);
    return only.is(truth::yes) ? truth::yes : only.is(truth::no) ? truth::no : truth::unknown;
}

bound_predicate::certainty bound_predicate::evaluate_part(const core::row& known) const
{
    const outcomes all = always() ? outcomes(truth::yes) : walk(*node_, known, false);
    if (all.is(truth::yes)) {
        return certainty::yes;
    }
    return all.may_be(truth::yes) ? certainty::maybe : certainty::no;
}

void bound_predicate::columns(std::vector<std::string>& out) const
{
    if (node_) {
        collect_columns(*node_, out);
    }
}

std::string bound_predicate::text() const
{
    std::string out;
    node_ ? append_text(out, *node_) : void(out = "*");
    return out;
}

std::optional<bound_predicate::equality> bound_predicate::indexable(std::size_t most) const
{
    return node_ ? index_of(*node_, most) : std::nullopt;
}

void append_text(std::string& out, const node& of)
{
    if (const auto* constant = std::get_if<node::constant>(&of.what)) {
        out += "nuy"[static_cast<std::size_t>(constant->value)];
        append_counted(out, constant->over->name);
    } else if (const auto* condition = std::get_if<node::condition>(&of.what)) {
        out += 'c';
        append_counted(out, condition->over->name);
        for (const auto number : {static_cast<unsigned>(condition->over->family),
                                  static_cast<unsigned>(condition->how), unsigned{condition->null_among_values}}) {
            out += std::to_string(number) + ",";
        }
        if (condition->set) {
            append_counted(out += '$', condition->set->identity());
            return;
        }
        // What else a catalog read later may say differently of the column.
        const bool ordered = condition->how >= comparison::less && condition->how <= comparison::at_least;
        out += std::to_string(static_cast<unsigned>(condition->over->element)) + ",";
        for (std::size_t i = 0; ordered && i < condition->over->labels.size(); ++i) {
            append_counted(out, condition->over->labels[i]);
        }
        out += ';';
        for (std::size_t i = 0; condition->values && i < condition->values->size(); ++i) {
            append_counted(out, (*condition->values)[i]);
        }
    } else {
        const auto& group = std::get<node::group>(of.what);
        out += "&|!"[static_cast<std::size_t>(group.of)];
        for (const auto& part : group.parts) {
            std::string text;
            append_text(text, *part);
            append_counted(out, text);
        }
    }
}

std::string index_key(type_family family, std::string_view json)
{
    return canonical(family, json).value_or(std::string());
}

void append_counted(std::string& out, std::string_view text)
{
    out += std::to_string(text.size());
    out += ':';
    out += text;
}

} // namespace rowcast::policy
