#include "cli/configuration_problems.hpp"

#include "auth/authenticator.hpp"
#include "config/expectations.hpp"
#include "config/load.hpp"
#include "postgres/select_rights.hpp"
#include "postgres/set_reader.hpp"

#include <iterator>

namespace rowcast::cli {

namespace {

void append(std::vector<config::problem>& to, std::vector<config::problem> more)
{
    std::move(more.begin(), more.end(), std::back_inserter(to));
}

// Of the sets, what PostgreSQL has against their queries. That one watches a table which rowcast does not is said elsewhere.
std::vector<config::problem> set_problems(const policy::rules& of, const policy::catalog& watched, const std::string& url)
{
    const observe::sink quiet = [](const observe::observation&) {};
    postgres::set_reader reader({.url = url, .purpose = "rowcast command"}, quiet, nullptr);
    std::vector<config::problem> found;
    for (const auto& [name, definition] : of.sets) {
        policy::set_definition set = *definition;
        std::erase_if(set.watch, [&](const std::string& table) { return !watched.find(table); });
        if (const auto how = reader.prepare(set, watched); !how.problem.empty()) {
            found.push_back({set.at, "sets." + name + ".query: " + how.problem});
        }
    }
    return found;
}

// Initial rows are read from the tables themselves, by a role that may need to be let.
std::vector<config::problem> rights_problems(const config::configuration& of, postgres::connection& on)
{
    const auto warning = [](core::mark at, std::string message) {
        return config::problem{at, std::move(message), config::problem::weight::warning};
    };
    std::vector<std::string> given;
    for (const auto& [name, rules] : of.rules.tables) {
        given.push_back(name);
    }
    std::vector<config::problem> found;
    try {
        const std::string& url = of.database.rows.url;
        const std::string role = url.empty() ? on.user() : postgres::connection({.url = url, .purpose = "rowcast command"}).user();
        for (const postgres::missing_right& each : postgres::missing_rights(on, role, given)) {
            const auto& rules = of.rules.tables.find(each.table)->second;
            found.push_back(warning(rules.empty() ? core::mark{} : rules.front().at,
                                    each.table + ": the role " + each.role + " may not read it, so there are no initial rows of it; run: " +
                                        each.grant + ";"));
        }
    } catch (const postgres::database_error& error) {
        found.push_back(warning({}, std::string("the role that reads initial rows (database.rows.url) cannot be looked at: ") + error.what()));
    }
    return found;
}

} // namespace

std::vector<config::problem> problems_of(const config::configuration& read)
{
    std::vector<config::problem> found = auth::problems(read.auth);
    append(found, config::misspelt_roles(read));
    return found;
}

std::vector<config::problem> problems_with(const config::configuration& read, postgres::connection& on, const policy::catalog& watched,
                                           const std::string& url)
{
    std::vector<config::problem> found = config::check(read.rules, watched);
    append(found, set_problems(read.rules, watched, url));
    append(found, rights_problems(read, on));
    return found;
}

} // namespace rowcast::cli
