#include "policy/rules.hpp"

#include "core/excerpt.hpp"
#include "core/nearest.hpp"

#include <algorithm>

namespace rowcast::policy {
namespace {

using core::error_code;
using core::failure;

const std::vector<rule> no_rules;

// A value as PostgreSQL reads it where a literal stands.
std::optional<std::string> argument(const core::value* given)
{
    if (const std::string* text = given ? given->as_string() : nullptr) {
        return *text;
    }
    if (const core::number* number = given ? given->as_number() : nullptr) {
        return number->digits;
    }
    if (const bool* boolean = given ? given->as_bool() : nullptr) {
        return *boolean ? "true" : "false";
    }
    return std::nullopt;
}

std::optional<set_call> call_of(const set_definition_ptr& of, const identity& who)
{
    set_call made{of, {}};
    for (const predicate::operand& each : of->parameters) {
        const auto* literal = std::get_if<core::value>(&each);
        auto value = argument(literal ? literal : find_claim(who.claims, std::get<predicate::reference>(each).name()));
        if (!value) {
            return std::nullopt;
        }
        made.arguments.push_back(std::move(*value));
    }
    return made;
}

void add_sets(const rules& all, const rule& from, const identity& who, std::map<std::string, set_call>& into)
{
    std::vector<const predicate::condition*> named;
    from.where.references(named);
    for (const predicate::condition* condition : named) {
        const auto& each = std::get<predicate::reference>(condition->right);
        const auto found = each.from == predicate::reference::kind::sets ? all.sets.find(each.name()) : all.sets.end();
        if (found != all.sets.end() && !into.contains(found->first)) {
            if (auto call = call_of(found->second, who)) {
                into.emplace(found->first, std::move(*call));
            }
        }
    }
}

std::vector<set_call> list(std::map<std::string, set_call> found)
{
    std::vector<set_call> calls;
    for (auto& [name, call] : found) {
        calls.push_back(std::move(call));
    }
    return calls;
}

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
        return failure{error_code::unknown_column, over.name + " has no column " + core::excerpt(name) + " to " +
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

std::vector<set_call> needed_sets(const rules& all, std::string_view table, const identity& who)
{
    std::map<std::string, set_call> needed;
    const auto found = all.tables.find(table);
    for (const rule& each : found == all.tables.end() ? no_rules : found->second) {
        if (is_for(each, who)) {
            if (each.where.always() && !each.columns) {
                return {}; // everything, whatever the sets hold
            }
            add_sets(all, each, who, needed);
        }
    }
    return list(std::move(needed));
}

std::vector<set_call> needed_sets_of_channel(const rules& all, std::string_view channel, const identity& who)
{
    std::map<std::string, set_call> needed;
    for (const auto& [pattern, given] : all.channels) {
        if (!matches_channel(pattern, channel)) {
            continue;
        }
        for (const rule& each : given) {
            if (is_for(each, who)) {
                if (each.where.always()) {
                    return {};
                }
                add_sets(all, each, who, needed);
            }
        }
    }
    return list(std::move(needed));
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
    return failure{error_code::forbidden, "no rule gives you the channel " + core::excerpt(channel)};
}

} // namespace rowcast::policy
