#include "config/load.hpp"
#include "core/nearest.hpp"
#include "policy/rules.hpp"

#include <algorithm>

namespace rowcast::config {
namespace {

class checker {
public:
    std::vector<problem> take() { return std::move(found_); }

    void check(const policy::rule& rule, const policy::table& over, const std::string& name)
    {
        if (rule.columns) {
            check_columns(rule, over, name);
        }
        // With no claims at all, references are unknown, and all else is seen.
        const policy::identity nobody;
        core::mark at = rule.at;
        if (const auto bound = policy::bound_predicate::bind(rule.where, over, &nobody, &at); !bound) {
            const bool names_table = bound.error().code == core::error_code::unknown_column;
            error(at, (names_table ? "" : name + ": ") + bound.error().message);
        }
    }

    void error(core::mark at, std::string message)
    {
        found_.push_back({at, std::move(message), problem::weight::error});
    }

    void warn(core::mark at, std::string message)
    {
        found_.push_back({at, std::move(message), problem::weight::warning});
    }

private:
    void check_columns(const policy::rule& rule, const policy::table& over, const std::string& name)
    {
        std::vector<std::string_view> names;
        for (const policy::column& each : over.columns) {
            names.push_back(each.name);
        }
        std::vector<std::string_view> given(rule.columns->begin(), rule.columns->end());
        for (const std::string_view column : given) {
            if (!over.find(column)) {
                error(rule.at, name + " has no captured column '" + std::string(column) + "'" +
                                   core::did_you_mean(column, names));
            }
        }
        for (const std::string& part : over.key) {
            if (std::find(given.begin(), given.end(), part) == given.end()) {
                error(rule.at, "a rule of " + name + " does not give the key column '" + part +
                                   "', without which clients cannot tell rows apart");
            }
        }
    }

    std::vector<problem> found_;
};

} // namespace

std::vector<problem> check(const policy::rules& all, const policy::catalog& watched)
{
    checker look;
    std::vector<std::string_view> names;
    for (const auto& [name, table] : watched.tables) {
        names.push_back(name);
    }
    for (const auto& [name, rules] : all.tables) {
        const auto over = watched.find(name);
        if (!over) {
            const core::mark at = rules.empty() ? core::mark{} : rules.front().at;
            const std::string meant = core::did_you_mean(name, names);
            look.warn(at, name + " is not watched" +
                              (meant.empty() ? "; `rowcast watch` it, or nobody can subscribe to it" : meant));
            continue;
        }
        for (const policy::rule& rule : rules) {
            look.check(rule, *over, name);
        }
    }
    for (const auto& [pattern, rules] : all.channels) {
        for (const policy::rule& rule : rules) {
            look.check(rule, policy::channel_table(), "channel " + pattern);
        }
    }
    for (const auto& [name, table] : watched.tables) {
        const auto rules = all.tables.find(name);
        if (rules == all.tables.end() || rules->second.empty()) {
            look.warn({}, name + " is watched, and no rule gives it to anybody");
        }
    }
    return look.take();
}

} // namespace rowcast::config
