#include "hub/view.hpp"

#include <algorithm>

namespace rowcast::hub {
namespace {

std::shared_ptr<const std::string> share(std::string text)
{
    return std::make_shared<const std::string>(std::move(text));
}

std::optional<event> see_row(const policy::visibility& through, const core::change& change, std::uint32_t ordinal, event_writer write)
{
    const policy::visibility::outcome outcome = through.see(change);
    if (const auto* seen = std::get_if<policy::effect>(&outcome)) {
        return event{ordinal, seen->op, event::kind::event, share(write(change, seen))};
    }
    if (std::holds_alternative<policy::visibility::unknowable>(outcome)) {
        return event{ordinal, change.op, event::kind::resync, share("row_too_large")};
    }
    return std::nullopt;
}

} // namespace

std::string view_spec::key() const
{
    if (const auto* named = std::get_if<channel>(&target)) {
        return "c" + named->name;
    }
    return "t" + std::get<0>(target)->text();
}

std::string_view view_spec::table() const
{
    const auto* through = std::get_if<0>(&target);
    return through ? std::string_view((*through)->over().name) : std::string_view();
}

std::string view_spec::rights() const
{
    std::string text = key();
    for (const policy::set_value_ptr& each : sets) {
        text += " $" + each->identity();
    }
    return text;
}

bool view_spec::is_superseded() const
{
    return std::any_of(sets.begin(), sets.end(), [](const policy::set_value_ptr& each) { return each->is_superseded(); });
}

bool view_spec::may_be_changed_by(const core::change& change) const
{
    return std::any_of(sets.begin(), sets.end(), [&](const policy::set_value_ptr& each) { return each->may_be_changed_by(change); });
}

std::optional<event> see(const view_spec& spec, const core::change& change, std::uint32_t ordinal, event_writer write)
{
    if (const auto* named = std::get_if<view_spec::channel>(&spec.target)) {
        if (change.op != core::operation::message || change.channel != named->name) {
            return std::nullopt;
        }
        return event{ordinal, change.op, event::kind::event, share(write(change, nullptr))};
    }
    const policy::visibility& through = *std::get<0>(spec.target);
    if (change.table != through.over().name) {
        return std::nullopt;
    }
    switch (change.op) {
    case core::operation::insert:
    case core::operation::update:
    case core::operation::remove: return see_row(through, change, ordinal, write);
    case core::operation::truncate: return event{ordinal, change.op, event::kind::event, share(write(change, nullptr))};
    case core::operation::resync: return event{ordinal, change.op, event::kind::resync, share(change.event)};
    case core::operation::message: break;
    }
    return std::nullopt;
}

} // namespace rowcast::hub
