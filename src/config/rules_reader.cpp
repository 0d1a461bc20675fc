#include "config/rules_reader.hpp"

#include "core/nearest.hpp"

#include <algorithm>
#include <array>

namespace rowcast::config {
namespace {

// Takes one identifier off the text.
bool take_identifier(std::string_view& text)
{
    if (text.starts_with('"')) {
        for (std::size_t i = 1; i < text.size(); ++i) {
            if (text[i] != '"') {
                continue;
            }
            if (i + 1 < text.size() && text[i + 1] == '"') {
                ++i;
                continue;
            }
            text.remove_prefix(i + 1);
            return i > 1;
        }
        return false;
    }
    const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
    const auto end = std::find_if_not(text.begin(), text.end(), plain);
    const bool valid = end != text.begin() && (text.front() < '0' || text.front() > '9');
    text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
    return valid;
}

class reader {
public:
    explicit reader(std::vector<problem>& problems)
        : problems_(problems)
    {
    }

    // The rules of one table or channel.
    std::vector<policy::rule> rules(const core::value& list, const std::string& path, bool of_a_table)
    {
        std::vector<policy::rule> read;
        const core::list* items = list.as_list();
        if (!items) {
            complain(list.at, path + " takes a list of rules, like [{roles: [admin]}], not " + describe(list));
            return read;
        }
        for (std::size_t i = 0; i < items->size(); ++i) {
            read.push_back(rule((*items)[i], path + "[" + std::to_string(i) + "]", of_a_table));
        }
        return read;
    }

    policy::set_definition set(const core::value& tree, const std::string& name)
    {
        policy::set_definition made;
        made.name = name;
        made.at = tree.at;
        const std::string path = "sets." + name;
        section from(&tree, path, problems_);
        from.text("query", made.query);
        if (made.query.empty()) {
            complain(tree.at, path + " has no query, like `select room from members where user_id = $1::int`");
        }
        if (const core::value* given = from.raw("params")) {
            parameters(made, *given, path + ".params");
        }
        from.texts("watch", made.watch);
        if (made.watch.empty()) {
            complain(tree.at, path + ".watch names no table; without one, nobody would notice that the set changes");
        }
        for (const std::string& table : made.watch) {
            if (!is_table_name(table)) {
                complain(from.raw("watch")->at, path + ".watch: " + not_a_table(table));
            }
        }
        from.finish();
        return made;
    }

    static std::string not_a_table(const std::string& name)
    {
        return "'" + name +
               "' is not the name of a table as PostgreSQL prints it, with its schema: public.orders, public.\"Odd Table\"";
    }

    // A set that nobody has defined must not be one without members.
    void check_references(const policy::rules& all)
    {
        std::vector<std::string_view> names;
        for (const auto& [name, set] : all.sets) {
            names.push_back(name);
        }
        const auto check = [&](const std::vector<policy::rule>& given) {
            for (const policy::rule& each : given) {
                std::vector<const policy::predicate::condition*> named;
                each.where.references(named);
                for (const auto* condition : named) {
                    const auto& to = std::get<policy::predicate::reference>(condition->right);
                    if (to.from == policy::predicate::reference::kind::sets && !all.sets.contains(to.name())) {
                        complain(condition->at, "there is no set '" + to.name() + "' under 'sets'" +
                                                    core::did_you_mean(to.name(), names));
                    }
                }
            }
        };
        for (const auto& [table, given] : all.tables) {
            check(given);
        }
        for (const auto& [pattern, given] : all.channels) {
            check(given);
        }
    }

private:
    void parameters(policy::set_definition& into, const core::value& given, const std::string& path)
    {
        const core::list* items = given.as_list();
        if (!items) {
            complain(given.at, path + " takes a list, like [$claims.sub], not " + describe(given));
            return;
        }
        for (const core::value& each : *items) {
            const std::string* text = each.as_string();
            if (each.is_null() || each.as_list() || each.as_object()) {
                complain(each.at, path + " takes claims, like $claims.sub, and plain values, not " + describe(each));
            } else if (text && text->starts_with("$$")) {
                into.parameters.emplace_back(core::value{text->substr(1), each.at});
            } else if (text && text->starts_with("$")) {
                claim(into, *text, each.at, path);
            } else {
                into.parameters.emplace_back(each);
            }
        }
    }

    void claim(policy::set_definition& into, const std::string& text, core::mark at, const std::string& path)
    {
        constexpr std::string_view kind = "$claims.";
        if (!text.starts_with(kind) || text.size() == kind.size()) {
            constexpr std::array<std::string_view, 1> kinds = {"$claims"};
            complain(at, path + " refers to '" + text + "'; there is $claims.NAME, and $$ stands for a plain $" +
                             core::did_you_mean(std::string_view(text).substr(0, text.find('.')), kinds));
            return;
        }
        into.parameters.emplace_back(
            policy::predicate::reference{policy::predicate::reference::kind::claims, {text.substr(kind.size())}});
    }

    policy::rule rule(const core::value& tree, const std::string& path, bool of_a_table)
    {
        policy::rule made;
        made.at = tree.at;
        if (tree.is_null()) {
            complain(tree.at, path + " is empty; write {} for a rule that gives everyone every row");
        }
        section from(&tree, path, problems_);
        from.texts("roles", made.roles);
        if (const core::value* roles = from.raw("roles"); roles && roles->as_list() && made.roles.empty()) {
            complain(roles->at, path + ".roles is empty; leave it out for a rule that is for everyone");
        }
        refuse_null(tree, path, {"roles", "where", "columns"});
        if (const core::value* where = from.raw("where")) {
            predicate(made, *where, path);
        }
        if (of_a_table) {
            if (const core::value* columns = from.raw("columns")) {
                from.texts("columns", made.columns.emplace());
                if (columns->as_list() && made.columns->empty()) {
                    complain(columns->at, path + ".columns is empty; leave it out for all captured columns");
                }
            }
        }
        from.finish();
        return made;
    }

    // Elsewhere a key without a value leaves the default; here the default gives more than whoever began to write meant.
    void refuse_null(const core::value& tree, const std::string& path, std::initializer_list<std::string_view> keys)
    {
        for (const std::string_view key : keys) {
            if (const core::value* value = tree.find(key); value && value->is_null()) {
                complain(value->at,
                         path + "." + std::string(key) + " has no value; leave the key out if nothing is to be said");
            }
        }
    }

    void predicate(policy::rule& into, const core::value& where, const std::string& path)
    {
        core::mark at = where.at;
        auto read = policy::predicate::parse(where, true, &at);
        if (read) {
            into.where = std::move(*read);
        } else {
            complain(at, path + "." + read.error().message);
        }
    }

    void complain(core::mark at, std::string message) { problems_.push_back({at, std::move(message)}); }

    std::vector<problem>& problems_;
};

const core::object* members(section& file, std::string_view key, std::string_view form)
{
    const core::value* value = file.raw(key);
    if (value && !value->as_object()) {
        file.complain(*value, key, "takes " + std::string(form) + ", not " + describe(*value));
    }
    return value ? value->as_object() : nullptr;
}

} // namespace

bool is_table_name(std::string_view text)
{
    if (!take_identifier(text) || !text.starts_with('.')) {
        return false;
    }
    text.remove_prefix(1);
    return take_identifier(text) && text.empty();
}

policy::rules read_rules(section& file, std::vector<problem>& problems)
{
    policy::rules all;
    reader read(problems);
    if (const core::object* tables = members(file, "tables", "tables and their rules")) {
        for (const auto& [name, list] : *tables) {
            if (!is_table_name(name)) {
                problems.push_back({list.at, reader::not_a_table(name)});
                continue;
            }
            all.tables[name] = read.rules(list, "tables." + name, true);
        }
    }
    if (const core::object* channels = members(file, "channels", "channels and their rules")) {
        for (const auto& [pattern, list] : *channels) {
            if (pattern.empty() || pattern.find('*') < pattern.size() - 1) {
                problems.push_back(
                    {list.at, "'" + pattern + "' is not a channel: a name, or the beginning of one and a * behind it"});
                continue;
            }
            all.channels.emplace_back(pattern, read.rules(list, "channels." + pattern, false));
        }
    }
    if (const core::object* sets = members(file, "sets", "sets and their queries")) {
        for (const auto& [name, tree] : *sets) {
            all.sets[name] = std::make_shared<const policy::set_definition>(read.set(tree, name));
        }
    }
    read.check_references(all);
    return all;
}

} // namespace rowcast::config
