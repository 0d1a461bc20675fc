#include "policy/predicate.hpp"

#include <cassert>

namespace rowcast::policy {
namespace {

core::value spell(const core::value& literal)
{
    if (const auto* items = literal.as_list()) {
        core::list all;
        for (const core::value& each : *items) {
            all.push_back(spell(each));
        }
        return {std::move(all)};
    }
    const std::string* text = literal.as_string();
    return text && text->starts_with('$') ? core::value{"$" + *text} : literal;
}

core::value spell(const predicate::operand& right)
{
    if (const auto* reference = std::get_if<predicate::reference>(&right)) {
        return {(reference->from == predicate::reference::kind::claims ? "$claims." : "$sets.") + reference->name()};
    }
    return spell(std::get<core::value>(right));
}

} // namespace

predicate::predicate(condition only)
    : node_(std::make_shared<const std::variant<group, condition>>(std::move(only)))
{
}

predicate::predicate(group parts)
    : node_(std::make_shared<const std::variant<group, condition>>(std::move(parts)))
{
}

const std::variant<predicate::group, predicate::condition>& predicate::node() const
{
    assert(node_);
    return *node_;
}

core::value to_value(const predicate& of)
{
    if (of.always()) {
        return {core::object{}};
    }
    if (const auto* only = std::get_if<predicate::condition>(&of.node())) {
        return {core::object{{only->column, {core::object{{std::string(to_string(only->comparison)), spell(only->right)}}}}}};
    }
    const auto& parts = std::get<predicate::group>(of.node());
    core::list all;
    for (const predicate& each : parts.parts) {
        all.push_back(to_value(each));
    }
    switch (parts.of) {
    case predicate::group::kind::all: return {core::object{{"and", {std::move(all)}}}};
    case predicate::group::kind::any: return {core::object{{"or", {std::move(all)}}}};
    case predicate::group::kind::none: break;
    }
    core::value inside = all.size() == 1 ? std::move(all.front()) : core::value{core::object{{"and", {std::move(all)}}}};
    return {core::object{{"not", std::move(inside)}}};
}

std::string predicate::reference::name() const
{
    std::string name;
    for (const std::string& step : path) {
        name += name.empty() ? step : "." + step;
    }
    return name;
}

void predicate::references(std::vector<const condition*>& out) const
{
    if (always()) {
        return;
    }
    if (const auto* only = std::get_if<condition>(node_.get())) {
        if (std::holds_alternative<reference>(only->right)) {
            out.push_back(only);
        }
        return;
    }
    for (const predicate& part : std::get<group>(*node_).parts) {
        part.references(out);
    }
}

void predicate::columns(std::vector<std::string>& out) const
{
    if (always()) {
        return;
    }
    if (const auto* only = std::get_if<condition>(node_.get())) {
        out.push_back(only->column);
        return;
    }
    for (const predicate& part : std::get<group>(*node_).parts) {
        part.columns(out);
    }
}

} // namespace rowcast::policy
