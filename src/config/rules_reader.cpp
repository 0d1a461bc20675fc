#include "config/rules_reader.hpp"

#include <algorithm>

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

private:
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
                problems.push_back(
                    {list.at, "'" + name +
                                  "' is not the name of a table as PostgreSQL prints it, with its schema: "
                                  "public.orders, public.\"Odd Table\""});
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
    return all;
}

} // namespace rowcast::config
