#include "policy/rules.hpp"

#include "core/nearest.hpp"

#include <algorithm>

namespace rowcast::policy {
namespace {

using core::error_code;
using core::failure;

bool gives(const std::vector<grant>& grants, std::string_view column)
{
    return std::any_of(grants.begin(), grants.end(), [&](const grant& each) {
        return !each.columns || std::find(each.columns->begin(), each.columns->end(), column) != each.columns->end();
    });
}

// A rule that the table no longer fits (a column renamed since the start) gives nothing; whoever checks the
// configuration against the catalog is told, not the client.
std::vector<grant> grants_of(const std::vector<rule>& all, const table& over, const identity& who)
{
    std::vector<grant> grants;
    for (const rule& each : all) {
        if (!is_for(each, who) || !gives_key(each, over)) {
            continue;
        }
        auto where = bound_predicate::bind(each.where, over, &who);
        if (!where) {
            continue;
        }
        if (where->always() && !each.columns) {
            // Everything: what other rules add is in it, and all such users share their views.
            return {grant{}};
        }
        grants.push_back({std::move(*where), each.columns});
    }
    return grants;
}

// Suggestions are among what the user may read: the names of other columns are not for them.
core::result<void> check_column(const std::vector<grant>& grants, const table& over, const std::string& name,
                                std::string_view use)
{
    if (!over.find(name)) {
        std::vector<std::string_view> readable;
        for (const column& each : over.columns) {
            if (gives(grants, each.name)) {
                readable.push_back(each.name);
            }
        }
        return failure{error_code::unknown_column, over.name + " has no column '" + name.substr(0, 64) + "' to " +
                                                       std::string(use) + core::did_you_mean(name, readable)};
    }
    if (!gives(grants, name)) {
        return failure{error_code::forbidden_column, "no rule gives you the column '" + name + "' of " + over.name +
                                                         ", so you cannot " + std::string(use) + " it"};
    }
    return {};
}

} // namespace

bool is_for(const rule& candidate, const identity& who)
{
    if (candidate.roles.empty()) {
        return true;
    }
    return std::any_of(candidate.roles.begin(), candidate.roles.end(), [&](const std::string& role) {
        return std::find(who.roles.begin(), who.roles.end(), role) != who.roles.end();
    });
}

bool gives_key(const rule& candidate, const table& over)
{
    return !candidate.columns || std::all_of(over.key.begin(), over.key.end(), [&](const std::string& part) {
        return std::find(candidate.columns->begin(), candidate.columns->end(), part) != candidate.columns->end();
    });
}

bool matches_channel(std::string_view pattern, std::string_view channel)
{
    if (pattern.ends_with('*')) {
        return channel.starts_with(pattern.substr(0, pattern.size() - 1));
    }
    return pattern == channel;
}

core::result<visibility> authorize(const rules& all, const std::shared_ptr<const table>& table_ptr, const identity& who,
                                   const table_request& wanted)
{
    const table& over = *table_ptr;
    const auto found = all.tables.find(over.name);
    std::vector<grant> grants = found == all.tables.end() ? std::vector<grant>() : grants_of(found->second, over, who);
    if (grants.empty()) {
        return failure{error_code::forbidden, "no rule gives you " + over.name};
    }
    const auto asked = wanted.columns.value_or(std::vector<std::string>());
    for (const std::string& name : asked) {
        if (auto allowed = check_column(grants, over, name, "read"); !allowed) {
            return allowed.error();
        }
    }
    std::vector<std::string> filtered;
    wanted.where.columns(filtered);
    for (const std::string& name : filtered) {
        if (auto allowed = check_column(grants, over, name, "filter by"); !allowed) {
            return allowed.error();
        }
    }
    auto filter = bound_predicate::bind(wanted.where, over, nullptr);
    if (!filter) {
        return filter.error();
    }
    return visibility(table_ptr, std::move(grants), std::move(*filter), wanted.columns, wanted.old);
}

const table& channel_table()
{
    static const table only{"channel", {{"channel", "text", type_family::text}}, {"channel"}, true};
    return only;
}

core::result<void> authorize_channel(const rules& all, std::string_view channel, const identity& who)
{
    std::string json = "{\"channel\":";
    core::append_quoted(json, channel);
    const auto row = core::row::parse(json + "}");
    for (const auto& [pattern, given] : all.channels) {
        if (!row || !matches_channel(pattern, channel)) {
            continue;
        }
        for (const rule& each : given) {
            if (!is_for(each, who)) {
                continue;
            }
            if (const auto where = bound_predicate::bind(each.where, channel_table(), &who);
                where && where->evaluate(*row) == truth::yes) {
                return {};
            }
        }
    }
    return failure{error_code::forbidden, "no rule gives you the channel '" + std::string(channel.substr(0, 64)) + "'"};
}

} // namespace rowcast::policy
