#include "policy/contradiction.hpp"

#include "policy/explanation.hpp"
#include "policy/scalar.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

namespace rowcast::policy {
namespace {

using op = predicate::op;

std::optional<std::string> canonical_of(const core::value& literal, type_family family)
{
    if (const core::number* number = literal.as_number()) {
        return canonical_literal(family, number->digits);
    }
    if (const bool* flag = literal.as_bool()) {
        return canonical_literal(family, *flag ? "true" : "false");
    }
    const std::string* text = literal.as_string();
    return text ? canonical_literal(family, *text) : std::nullopt;
}

// What the conditions of one `and` leave of one column's values.
class remainder {
public:
    explicit remainder(const column& over)
        : over_(over)
    {
    }

    // What is impossible with it; empty where something is left, or it cannot be told.
    std::string add(const predicate::condition& also)
    {
        const auto* literal = std::get_if<core::value>(&also.right);
        const std::string text = to_text(also);
        if (also.comparison == op::is) {
            const std::string* word = literal ? literal->as_string() : nullptr;
            const bool null = literal && (literal->is_null() || (word && *word == "null"));
            if (null || (word && *word == "unknown")) {
                null_ = text;
                return value_.empty() ? "" : both(value_, null_);
            }
            return needs_value(text);
        }
        if (std::string why = needs_value(text); !why.empty()) {
            return why;
        }
        if (!literal) {
            return {}; // a claim or a set: known by whoever asks
        }
        switch (also.comparison) {
        case op::eq:
            return one_of({*literal}, text);
        case op::in:
            return one_of(*literal->as_list(), text);
        case op::gt:
        case op::gte:
            return bound(least_, *literal, also.comparison == op::gt, text);
        case op::lt:
        case op::lte:
            return bound(most_, *literal, also.comparison == op::lt, text);
        default:
            return {};
        }
    }

private:
    struct limit {
        std::string value;
        bool exclusive;
        std::string text;
    };

    static std::string both(const std::string& first, const std::string& second)
    {
        return "'" + first + "' and '" + second + "' cannot both hold";
    }

    std::string needs_value(const std::string& text)
    {
        value_ = text;
        return null_.empty() ? "" : both(null_, text);
    }

    std::string one_of(const core::list& literals, const std::string& text)
    {
        std::set<std::string> values;
        for (const core::value& each : literals) {
            if (each.is_null()) {
                continue; // makes nothing true
            }
            const auto value = canonical_of(each, over_.family);
            if (!value) {
                return {};
            }
            values.insert(*value);
        }
        if (values.empty()) {
            return "'" + text + "' names no value";
        }
        if (!among_) {
            among_ = values;
            among_text_ = text;
        } else {
            std::erase_if(*among_, [&](const std::string& each) { return !values.contains(each); });
            if (among_->empty()) {
                return both(among_text_, text);
            }
        }
        return within_limits();
    }

    // Keeps the narrower of two limits.
    std::string bound(std::optional<limit>& kept, const core::value& literal, bool exclusive, const std::string& text)
    {
        const auto value = canonical_of(literal, over_.family);
        if (!value || !is_ordered(over_)) {
            return {};
        }
        const limit made{*value, exclusive, text};
        const auto order = kept ? compare(over_, *value, kept->value) : std::partial_ordering::equivalent;
        const bool narrower = &kept == &least_ ? order > 0 : order < 0;
        if (!kept || narrower || (order == 0 && exclusive)) {
            kept = made;
        }
        return within_limits();
    }

    bool is_within(const std::string& value) const
    {
        const auto fits = [&](const std::optional<limit>& end, bool upper) {
            if (!end) {
                return true;
            }
            const auto order = compare(over_, value, end->value);
            if (order == std::partial_ordering::unordered) {
                return true; // not known here
            }
            return order == 0 ? !end->exclusive : (order < 0) == upper;
        };
        return fits(least_, false) && fits(most_, true);
    }

    std::string within_limits() const
    {
        if (least_ && most_) {
            const auto order = compare(over_, least_->value, most_->value);
            if (order > 0 || (order == 0 && (least_->exclusive || most_->exclusive))) {
                return both(least_->text, most_->text);
            }
        }
        if (among_ && (least_ || most_) &&
            std::none_of(among_->begin(), among_->end(), [&](const std::string& each) { return is_within(each); })) {
            const bool low = !most_ || (least_ && std::all_of(among_->begin(), among_->end(), [&](const std::string& each) {
                                            return compare(over_, each, least_->value) <= 0;
                                        }));
            return both(among_text_, low ? least_->text : most_->text);
        }
        return {};
    }

    const column& over_;
    std::string value_; // a condition that only a value satisfies
    std::string null_; // one that only null does
    std::optional<std::set<std::string>> among_;
    std::string among_text_;
    std::optional<limit> least_;
    std::optional<limit> most_;
};

// Conditions and alternatives that must all hold, whatever the brackets.
void flatten(const predicate& of, std::vector<const predicate*>& out)
{
    if (of.always()) {
        return;
    }
    const auto* group = std::get_if<predicate::group>(&of.node());
    if (!group || group->of != predicate::group::kind::all) {
        out.push_back(&of);
        return;
    }
    for (const predicate& part : group->parts) {
        flatten(part, out);
    }
}

std::string text_of(const predicate& of)
{
    if (of.always()) {
        return "{}";
    }
    if (const auto* only = std::get_if<predicate::condition>(&of.node())) {
        return to_text(*only);
    }
    const auto& group = std::get<predicate::group>(of.node());
    std::string text = std::to_string(static_cast<int>(group.of)) + "(";
    for (const predicate& part : group.parts) {
        const std::string inner = text_of(part);
        text += std::to_string(inner.size()) + ":" + inner;
    }
    return text + ")";
}

} // namespace

std::optional<contradiction> find_contradiction(const predicate& of, const table& over)
{
    std::vector<const predicate*> parts;
    flatten(of, parts);
    std::map<std::string_view, remainder> columns;
    for (const predicate* part : parts) {
        if (const auto* only = std::get_if<predicate::condition>(&part->node())) {
            const column* named = over.find(only->column);
            if (!named) {
                return std::nullopt;
            }
            if (std::string why = columns.try_emplace(only->column, *named).first->second.add(*only); !why.empty()) {
                return contradiction{std::move(why), only->at};
            }
            continue;
        }
        const auto& group = std::get<predicate::group>(part->node());
        if (group.of == predicate::group::kind::none) {
            if (std::all_of(group.parts.begin(), group.parts.end(), [](const predicate& each) { return each.always(); })) {
                return contradiction{"'not: {}' holds for no row", {}};
            }
            continue;
        }
        std::optional<contradiction> first;
        for (const predicate& alternative : group.parts) {
            auto found = find_contradiction(alternative, over);
            if (!found) {
                first.reset();
                break;
            }
            first = first ? first : std::move(found);
        }
        if (first) {
            return first;
        }
    }
    return std::nullopt;
}

bool is_within(const predicate& narrow, const predicate& wide)
{
    std::vector<const predicate*> parts;
    flatten(narrow, parts);
    std::set<std::string> given;
    for (const predicate* part : parts) {
        given.insert(text_of(*part));
    }
    parts.clear();
    flatten(wide, parts);
    return std::all_of(parts.begin(), parts.end(), [&](const predicate* part) { return given.contains(text_of(*part)); });
}

} // namespace rowcast::policy
