#include "policy/predicate.hpp"

#include <cassert>

namespace rowcast::policy {

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
