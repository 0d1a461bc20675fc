#include "net/session_listing.hpp"

#include <algorithm>

namespace rowcast::net {

void add_target(session_description& to, const std::string& name)
{
    if (to.targets.size() < most_targets && std::find(to.targets.begin(), to.targets.end(), name) == to.targets.end()) {
        to.targets.push_back(name);
    }
}

void describe(session_description& to, const subscription_request& of)
{
    to.roles = of.who.roles;
    to.address = to_string(of.from);
    for (const hub::feed::request& each : of.wanted) {
        const auto* channel = std::get_if<hub::view_spec::channel>(&each.view.target);
        add_target(to, channel ? channel->name : std::string(each.view.table()));
    }
}

} // namespace rowcast::net
