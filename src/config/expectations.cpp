#include "config/expectations.hpp"

#include "config/jwt.hpp"
#include "core/nearest.hpp"
#include "policy/literal_row.hpp"

#include <algorithm>

namespace rowcast::config {
namespace {

using answer = expectation::answer;
using policy::type_family;
using verdict = policy::explanation::verdict;

std::string listed(std::vector<std::string> names)
{
    std::string all;
    for (const std::string& each : names) {
        all += (all.empty() ? "" : ", ") + each;
    }
    return all;
}

// A table as far as the file tells it: for when there is no database to ask.
class sketch {
public:
    void add_columns(const std::vector<std::string>& names)
    {
        for (const std::string& each : names) {
            column(each);
        }
    }

    void add_row(const std::optional<core::value>& row)
    {
        if (!row) {
            return;
        }
        for (const auto& [name, value] : *row->as_object()) {
            policy::column& into = column(name);
            const type_family seen = value.as_number()                  ? type_family::numeric
                                     : value.as_bool()                  ? type_family::boolean
                                     : value.as_string()                ? type_family::text
                                                                        : type_family::other;
            if (!value.is_null() && into.type.empty()) {
                into.family = seen;
                into.type = "(as it is written)";
            } else if (!value.is_null() && into.family != seen) {
                into.family = type_family::text;
            }
        }
    }

    std::shared_ptr<const policy::table> take(const std::string& name)
    {
        table_.name = name;
        return std::make_shared<const policy::table>(std::move(table_));
    }

private:
    policy::column& column(const std::string& name)
    {
        const auto found = std::find_if(table_.columns.begin(), table_.columns.end(),
                                        [&](const policy::column& each) { return each.name == name; });
        return found != table_.columns.end() ? *found : table_.columns.emplace_back(policy::column{name, "", type_family::text});
    }

    policy::table table_;
};

std::shared_ptr<const policy::table> guess(const configuration& file, const std::string& name)
{
    sketch made;
    for (const expectation& each : file.expectations) {
        if (each.table == name) {
            made.add_row(each.before);
            made.add_row(each.after);
        }
    }
    if (const auto rules = file.rules.tables.find(name); rules != file.rules.tables.end()) {
        for (const policy::rule& each : rules->second) {
            std::vector<std::string> names = each.columns.value_or(std::vector<std::string>());
            each.where.columns(names);
            made.add_columns(names);
        }
    }
    return made.take(name);
}

// Where a text stands in a tree.
std::optional<core::mark> place_of(const core::value& in, const std::string& wanted)
{
    if (in.as_string() && *in.as_string() == wanted) {
        return in.at;
    }
    std::optional<core::mark> found;
    for (const auto& [name, each] : in.as_object() ? *in.as_object() : core::object()) {
        found = found ? found : place_of(each, wanted);
    }
    for (const core::value& each : in.as_list() ? *in.as_list() : core::list()) {
        found = found ? found : place_of(each, wanted);
    }
    return found;
}

class judge {
public:
    judge(const configuration& file, const policy::catalog* watched)
        : file_(file)
        , watched_(watched)
    {
    }

    std::vector<disappointment> take() { return std::move(found_); }

    void hear(const expectation& what)
    {
        auto who = find_user(what);
        if (!who) {
            return complain(what.at, who.error().message);
        }
        if (!add_sets(what, *who)) {
            return;
        }
        if (!what.channel.empty()) {
            return compare(what, policy::explain_channel(file_.rules, what.channel, *who));
        }
        const auto over = find_table(what);
        if (!over) {
            return;
        }
        core::mark at = what.at;
        auto change = policy::literal_change(*over, what.before, what.after, &at);
        if (!change) {
            return complain(at, change.error().message);
        }
        auto told = policy::explain(file_.rules, over, *who, std::make_shared<const core::change>(std::move(*change)));
        if (!watched_ && !is_decided(told)) {
            found_.push_back({{what.at, "cannot be decided without the database, which knows the columns' types",
                               problem::weight::warning},
                              std::nullopt});
            return;
        }
        compare(what, std::move(told));
    }

private:
    core::result<policy::identity> find_user(const expectation& what) const
    {
        if (what.claims) {
            return identify(file_.auth, *what.claims);
        }
        if (!file_.auth.anonymous) {
            return core::failure{core::error_code::token_missing,
                                 "names no user, and auth.anonymous is false: without a token nobody is let in"};
        }
        return policy::identity{"", {"anonymous"}, {core::object{}, {}}, std::nullopt};
    }

    bool add_sets(const expectation& what, policy::identity& who)
    {
        std::vector<std::string_view> names;
        for (const auto& [name, set] : file_.rules.sets) {
            names.push_back(name);
        }
        for (const auto& [name, values] : what.sets ? *what.sets->as_object() : core::object()) {
            if (!file_.rules.sets.contains(name)) {
                complain(values.at, "there is no set '" + name + "' under 'sets'" + core::did_you_mean(name, names));
                return false;
            }
            core::mark at = values.at;
            auto made = policy::literal_set(name, values, &at);
            if (!made) {
                complain(at, made.error().message);
                return false;
            }
            who.sets[name] = std::move(*made);
        }
        return true;
    }

    std::shared_ptr<const policy::table> find_table(const expectation& what)
    {
        if (!watched_) {
            return guess(file_, what.table);
        }
        auto found = watched_->find(what.table);
        if (!found) {
            std::vector<std::string_view> names;
            for (const auto& [name, table] : watched_->tables) {
                names.push_back(name);
            }
            complain(what.at, what.table + " is not watched" + core::did_you_mean(what.table, names));
        }
        return found;
    }

    static bool is_decided(const policy::explanation& of)
    {
        const auto fits = [](const std::optional<policy::explained_row>& row) {
            return !row || std::all_of(row->rules.begin(), row->rules.end(), [](const policy::explained_rule& each) {
                return !each.for_user || each.misfit.empty();
            });
        };
        return fits(of.before) && fits(of.after);
    }

    void compare(const expectation& what, policy::explanation told)
    {
        const bool sent = told.what == verdict::sent;
        if (what.before || what.gets_at.line > 0) {
            const auto got = told.event ? std::optional(told.event->op) : std::nullopt;
            if (got != what.gets) {
                return disappoint(what.gets_at,
                                  "expected the user to get " + word(what.gets) + ", and they get " + word(got), told);
            }
        }
        if (!what.sees) {
            return;
        }
        std::vector<std::string> seen;
        for (const core::field& each : told.event ? told.event->row : std::vector<core::field>()) {
            seen.emplace_back(each.name);
        }
        std::vector<std::string> all;
        for (const policy::column& each : told.over->columns) {
            all.push_back(each.name);
        }
        std::vector<std::string> in_order = seen;
        std::sort(seen.begin(), seen.end());
        std::sort(all.begin(), all.end());
        const bool channel = !what.channel.empty();
        const bool met = what.sees->what == answer::kind::nothing      ? !sent
                         : what.sees->what == answer::kind::everything ? sent && (channel || seen == all)
                                                                       : sent && seen == what.sees->columns;
        if (!met) {
            const std::string wanted = what.sees->what == answer::kind::nothing      ? "nothing"
                                       : what.sees->what == answer::kind::everything ? (channel ? "the channel" : "the whole row")
                                                                                     : listed(what.sees->columns);
            const std::string got = !sent ? "nothing" : channel ? "it" : in_order.empty() ? "no column" : listed(in_order);
            disappoint(what.sees->at, "expected the user to see " + wanted + ", and they see " + got, told);
        }
    }

    static std::string word(const std::optional<core::operation>& op)
    {
        return op ? std::string(core::to_string(*op)) : "nothing";
    }

    void complain(core::mark at, std::string message)
    {
        found_.push_back({{at, std::move(message), problem::weight::error}, std::nullopt});
    }

    void disappoint(core::mark at, std::string message, policy::explanation& told)
    {
        found_.push_back({{at, std::move(message), problem::weight::error}, std::move(told)});
    }

    const configuration& file_;
    const policy::catalog* watched_;
    std::vector<disappointment> found_;
};

} // namespace

std::vector<disappointment> hold(const configuration& file, const policy::catalog* watched)
{
    judge of(file, watched);
    for (const expectation& each : file.expectations) {
        of.hear(each);
    }
    return of.take();
}

std::vector<problem> misspelt_roles(const configuration& file)
{
    std::vector<std::string_view> known;
    const auto add = [&](const std::vector<policy::rule>& rules) {
        for (const policy::rule& each : rules) {
            known.insert(known.end(), each.roles.begin(), each.roles.end());
        }
    };
    for (const auto& [name, rules] : file.rules.tables) {
        add(rules);
    }
    for (const auto& [pattern, rules] : file.rules.channels) {
        add(rules);
    }
    std::vector<problem> found;
    for (const expectation& each : file.expectations) {
        const auto who = each.claims ? identify(file.auth, *each.claims) : policy::identity();
        for (const std::string& role : who ? who->roles : std::vector<std::string>()) {
            const bool is_known = std::find(known.begin(), known.end(), role) != known.end();
            const std::string meant = is_known ? "" : core::did_you_mean(role, known);
            if (!meant.empty()) {
                found.push_back({place_of(*each.claims, role).value_or(each.claims->at), "no rule is for the role '" + role + "'" + meant,
                                 problem::weight::warning});
            }
        }
    }
    return found;
}

} // namespace rowcast::config
