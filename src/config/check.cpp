#include "config/load.hpp"
#include "core/nearest.hpp"
#include "policy/contradiction.hpp"

#include <algorithm>
#include <set>

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
        } else if (const auto found = policy::find_contradiction(rule.where, over)) {
            error(found->at.line > 0 ? found->at : rule.at, "this rule can never hold: " + found->why);
        }
    }

    // A rule that gives nothing beyond another one; of two that give the same, the later.
    void check_against_each_other(const std::vector<policy::rule>& rules)
    {
        for (std::size_t i = 0; i < rules.size(); ++i) {
            for (std::size_t j = 0; j < rules.size(); ++j) {
                const bool same = gives_all_of(rules[i], rules[j]);
                if (i != j && gives_all_of(rules[j], rules[i]) && (!same || j < i)) {
                    warn(rules[i].at, "this rule adds nothing: the one in line " + std::to_string(rules[j].at.line) +
                                          " gives the same users all of it");
                    break;
                }
            }
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
    static bool contains_all(const std::vector<std::string>& all, const std::vector<std::string>& some)
    {
        return std::all_of(some.begin(), some.end(), [&](const std::string& each) {
            return std::find(all.begin(), all.end(), each) != all.end();
        });
    }

    static bool gives_all_of(const policy::rule& wide, const policy::rule& narrow)
    {
        const bool roles = wide.roles.empty() || (!narrow.roles.empty() && contains_all(wide.roles, narrow.roles));
        const bool columns = !wide.columns || (narrow.columns && contains_all(*wide.columns, *narrow.columns));
        return roles && columns && policy::is_within(narrow.where, wide.where);
    }

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
            look.error(at, name + " is not watched" +
                              (meant.empty() ? "; `rowcast watch` it, or nobody can subscribe to it" : meant));
            continue;
        }
        for (const policy::rule& rule : rules) {
            look.check(rule, *over, name);
        }
        look.check_against_each_other(rules);
    }
    for (const auto& [pattern, rules] : all.channels) {
        for (const policy::rule& rule : rules) {
            look.check(rule, policy::channel_table(), "channel " + pattern);
        }
        look.check_against_each_other(rules);
    }
    std::set<std::string_view> through_sets;
    for (const auto& [name, set] : all.sets) {
        for (const std::string& table : set->watch) {
            through_sets.insert(table);
            if (!watched.find(table)) {
                const std::string meant = core::did_you_mean(table, names);
                look.error(set->at, "sets." + name + " watches " + table + ", which rowcast does not" +
                                        (meant.empty() ? "; `rowcast watch` it, or the set gives nothing" : meant));
            }
        }
    }
    for (const auto& [name, table] : watched.tables) {
        const auto rules = all.tables.find(name);
        if ((rules == all.tables.end() || rules->second.empty()) && !through_sets.contains(name)) {
            look.warn({}, name + " is watched, and no rule gives it to anybody");
        }
    }
    std::vector<problem> found = look.take();
    sort_by_place(found);
    return found;
}

} // namespace rowcast::config
