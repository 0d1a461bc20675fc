#include "auth/authenticator.hpp"
#include "cli/commands.hpp"
#include "cli/explanation_text.hpp"
#include "cli/settings.hpp"
#include "cli/terminal.hpp"
#include "cli/token_claims.hpp"
#include "core/nearest.hpp"
#include "policy/literal_row.hpp"
#include "postgres/catalog_reader.hpp"
#include "postgres/single_reads.hpp"
#include "protocol/explanation_json.hpp"
#include "protocol/json.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>

namespace rowcast::cli {

namespace {

struct options {
    database_choice database;
    std::string table;
    std::string channel;
    token_wish user;
    std::string token;
    std::string claims;
    std::vector<std::string> sets; // name=values
    std::string row;
    std::string key;
    std::optional<std::uint64_t> change;
    std::string where;
    std::optional<std::vector<std::string>> columns;
    bool json = false;
};

using change_ptr = std::shared_ptr<const core::change>;

core::failure wrong(std::string why)
{
    return {core::error_code::bad_request, std::move(why)};
}

core::result<core::value> read_object(std::string_view option, const std::string& text)
{
    auto read = protocol::parse_json(text);
    if (!read) {
        return wrong(std::string(option) + ": " + read.error().message);
    }
    if (!read->as_object()) {
        return wrong(std::string(option) + " wants a JSON object, like {\"id\":42}");
    }
    return read;
}

core::result<policy::identity> find_user(const options& given, const config::auth& settings)
{
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
    if (!given.token.empty()) {
        return auth::authenticator(settings).verify(given.token, now.count());
    }
    if (!given.claims.empty()) {
        auto claims = read_object("--claims", given.claims);
        return claims ? policy::identify(std::move(*claims), settings.roles_claim) : claims.error();
    }
    if (given.user.subject.empty() && given.user.roles.empty() && given.user.claims.empty()) {
        return auth::authenticator({.jwt = {}, .roles_claim = {}, .anonymous = settings.anonymous}).anonymous();
    }
    auto claims = claims_for(given.user, settings, now, std::chrono::hours(1));
    return claims ? policy::identify(std::move(*claims), settings.roles_claim) : claims.error();
}

core::result<void> add_sets(const options& given, policy::identity& who)
{
    for (const std::string& each : given.sets) {
        const std::size_t equals = std::min(each.find('='), each.size());
        const std::string name = each.substr(0, equals);
        const auto values = protocol::parse_json(equals < each.size() ? each.substr(equals + 1) : "null");
        auto made = values ? policy::literal_set(name, *values) : core::result<policy::set_value_ptr>(values.error());
        if (!made) {
            return wrong("--set wants NAME=LIST, like rooms=[1,2]: " + made.error().message);
        }
        who.sets[name] = std::move(*made);
    }
    return {};
}

std::shared_ptr<const policy::table> find_table(const policy::catalog& watched, const std::string& name,
                                                std::string& meant)
{
    std::vector<std::string_view> names;
    for (const auto& [each, table] : watched.tables) {
        names.push_back(each);
    }
    meant = core::did_you_mean(name, names);
    const auto found = watched.find(name);
    return found ? found : watched.find("public." + name);
}

core::result<policy::table_request> read_wish(const options& given)
{
    policy::table_request wanted{{}, given.columns, true};
    if (!given.where.empty()) {
        const auto tree = read_object("--where", given.where);
        if (!tree) {
            return tree.error();
        }
        auto filter = policy::predicate::parse(*tree, false);
        if (!filter) {
            return wrong("--where: " + filter.error().message);
        }
        wanted.where = std::move(*filter);
    }
    return wanted;
}

// A row as the change that it would come with.
core::result<change_ptr> as_insert(const policy::table& of, core::result<core::row> row)
{
    if (!row) {
        return row.error();
    }
    auto made = std::make_shared<core::change>();
    made->op = made->cause = core::operation::insert;
    made->table = of.name;
    made->after = std::move(*row);
    return change_ptr(std::move(made));
}

core::result<policy::explanation> explain_row(const options& given, const policy::rules& rules, const policy::identity& who)
{
    const auto url = find_database(given.database);
    if (std::holds_alternative<exit_status>(url)) {
        return wrong("without a database the tables' columns are not known");
    }
    postgres::connection on({.url = std::get<std::string>(url), .purpose = "rowcast command"});
    const policy::catalog_ptr watched = postgres::read_catalog(on);
    const auto wanted = read_wish(given);
    if (!wanted) {
        return wanted.error();
    }
    change_ptr change;
    std::string table = given.table;
    if (given.change) {
        auto read = postgres::read_one_change(on, *given.change);
        if (!read) {
            return read.error();
        }
        if (read->op == core::operation::message) {
            return policy::explain_channel(rules, read->channel, who);
        }
        table = read->table;
        change = std::make_shared<const core::change>(std::move(*read));
    }
    std::string meant;
    const auto over = find_table(*watched, table, meant);
    if (!over) {
        return wrong(table + " is not watched" + meant);
    }
    if (!change) {
        const auto tree = read_object(given.row.empty() ? "--key" : "--row", given.row.empty() ? given.key : given.row);
        if (!tree) {
            return tree.error();
        }
        const auto made = as_insert(*over, given.row.empty() ? postgres::read_one_row(on, *over, *tree)
                                                             : policy::literal_row(*over, *tree));
        if (!made) {
            return made.error();
        }
        change = *made;
    }
    return policy::explain(rules, over, who, change, *wanted);
}

std::string describe(const policy::identity& who)
{
    std::string roles;
    for (const std::string& each : who.roles) {
        roles += (roles.empty() ? "" : ", ") + printable(each);
    }
    return (who.subject.empty() ? "somebody without a name" : "user " + printable(who.subject)) +
           (roles.empty() ? ", without roles" : ", roles: " + roles);
}

exit_status run(const options& given)
{
    if ((given.row.empty() ? 0 : 1) + (given.key.empty() ? 0 : 1) + (given.change ? 1 : 0) + (given.channel.empty() ? 0 : 1) != 1 ||
        (given.table.empty() && !given.change && given.channel.empty())) {
        std::cerr << "rowcast: which row? Give --table with --row or --key, or --change ID, or --channel NAME.\n";
        return exit_status::usage;
    }
    const auto loaded = read_configuration(given.database.file);
    if (const auto* failed = std::get_if<exit_status>(&loaded)) {
        return *failed;
    }
    const auto& settings = std::get<config::configuration>(loaded);
    auto who = find_user(given, settings.auth);
    if (!who) {
        std::cerr << "rowcast: this user is not let in: " << printable_lines(core::describe(who.error().code).sentence) << ' '
                  << printable_lines(who.error().message) << '\n';
        return exit_status::failed;
    }
    if (const auto done = add_sets(given, *who); !done) {
        std::cerr << "rowcast: " << printable_lines(done.error().message) << '\n';
        return exit_status::usage;
    }
    const auto found = given.channel.empty() ? explain_row(given, settings.rules, *who)
                                             : policy::explain_channel(settings.rules, given.channel, *who);
    if (!found) {
        std::cerr << "rowcast: " << printable_lines(found.error().message) << '\n';
        return exit_status::usage;
    }
    if (given.json) {
        std::cout << protocol::to_json(*found) << '\n';
    } else {
        const painter paint(wants_colour(STDOUT_FILENO));
        std::cout << printable(found->over->name) << " and " << describe(*who) << "\n\n" << explanation_text(*found, paint);
    }
    return found->what == policy::explanation::verdict::sent ? exit_status::ok : exit_status::failed;
}

} // namespace

void add_explain(CLI::App& program, action& chosen)
{
    auto given = std::make_shared<options>();
    CLI::App* command = program.add_subcommand("explain", "Say why a user gets a row, or does not, rule by rule");
    command->add_option("-c,--config", given->database.file, "The bridge.yaml with the rules")->required()->type_name("FILE");
    command->add_option("-d,--database", given->database.url, "Where PostgreSQL is (or DATABASE_URL, or the file's)")
        ->type_name("URL");
    command->add_option("-t,--table", given->table, "The row's table")->type_name("TABLE")->group("What");
    command->add_option("--row", given->row, "The row itself, JSON")->type_name("JSON")->group("What");
    command->add_option("--key", given->key, "The row with this key, as it is now")->type_name("JSON")->group("What");
    command->add_option("--change", given->change, "A logged change: the `id` of an event, or of `rowcast tail`")
        ->type_name("ID")
        ->group("What");
    command->add_option("--channel", given->channel, "Whether they may listen to this channel")
        ->type_name("NAME")
        ->group("What");
    command->add_option("--where", given->where, "The client's own filter, JSON")->type_name("JSON")->group("What");
    command->add_option("--columns", given->columns, "The columns that the client asks for")
        ->delimiter(',')
        ->type_name("NAME")
        ->group("What");
    command->add_option("-s,--user", given->user.subject, "Who (the token's `sub`); nobody: without a token")
        ->type_name("USER")
        ->group("Who");
    command->add_option("-r,--role", given->user.roles, "A role; may be repeated")->delimiter(',')->type_name("ROLE")->group("Who");
    command->add_option("--claim", given->user.claims, "Another claim; VALUE is JSON, or else text; may be repeated")
        ->type_name("NAME=VALUE")
        ->group("Who");
    command->add_option("--set", given->sets, "What a set holds for them: a JSON list; may be repeated")
        ->type_name("NAME=LIST")
        ->group("Who");
    command->add_option("--token", given->token, "A token, verified as the bridge would")->type_name("TOKEN")->group("Who");
    command->add_option("--claims", given->claims, "All claims of a token, JSON")->type_name("JSON")->group("Who");
    command->add_flag("--json", given->json, "For machines");
    command->footer("Exit status: 0 the user gets it, 1 they do not; otherwise as everywhere.\n\n"
                    "  rowcast explain -c bridge.yaml -t public.orders --key '{\"id\":42}' --user 7 --role customer\n"
                    "  rowcast explain -c bridge.yaml --change 981 --token \"$TOKEN\"");
    on_chosen(*command, chosen, given, run);
}

} // namespace rowcast::cli
