#include "app/inquiry.hpp"
#include "auth/authenticator.hpp"
#include "cli/commands.hpp"
#include "cli/explanation_text.hpp"
#include "cli/settings.hpp"
#include "cli/terminal.hpp"
#include "cli/token_claims.hpp"
#include "config/jwt.hpp"
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
        return claims ? config::identify(settings, std::move(*claims)) : claims.error();
    }
    if (given.user.subject.empty() && given.user.roles.empty() && given.user.claims.empty()) {
        return auth::authenticator({.jwt = {}, .roles_claim = {}, .anonymous = settings.anonymous}).anonymous();
    }
    auto claims = claims_for(given.user, settings, now, std::chrono::hours(1));
    return claims ? config::identify(settings, std::move(*claims)) : claims.error();
}

core::result<core::value> read_sets(const options& given)
{
    core::object sets;
    for (const std::string& each : given.sets) {
        const std::size_t equals = std::min(each.find('='), each.size());
        auto values = protocol::parse_json(equals < each.size() ? each.substr(equals + 1) : "");
        if (!values) {
            return wrong("--set wants NAME=LIST, like rooms=[1,2]: " + values.error().message);
        }
        sets.emplace_back(each.substr(0, equals), std::move(*values));
    }
    return core::value{std::move(sets)};
}

// What the command line asks, in the form in which operators ask a bridge.
core::result<app::inquiry> read_question(const options& given)
{
    core::object asked;
    const auto add = [&](const char* name, const std::string& text) {
        if (!text.empty()) {
            asked.emplace_back(name, core::value{text});
        }
    };
    add("table", given.change ? "" : given.table);
    add("channel", given.channel);
    add("change", given.change ? std::to_string(*given.change) : "");
    for (const auto& [name, text] : {std::pair("row", &given.row), std::pair("key", &given.key), std::pair("where", &given.where)}) {
        auto read = text->empty() ? core::value() : read_object("--" + std::string(name), *text);
        if (!read) {
            return read.error();
        }
        if (!read->is_null()) {
            asked.emplace_back(name, std::move(*read));
        }
    }
    if (given.columns) {
        asked.emplace_back("columns", core::value{core::list_of(*given.columns)});
    }
    auto sets = read_sets(given);
    if (!sets) {
        return sets.error();
    }
    asked.emplace_back("sets", std::move(*sets));
    return app::read_inquiry({std::move(asked)});
}

// A channel can be asked about without a database; what its rules' sets hold is not known then.
or_exit<std::optional<app::sources>> find_sources(const options& given, const config::database& settings)
{
    if (!given.channel.empty() && given.database.url.empty() && settings.url.empty()) {
        return std::optional<app::sources>();
    }
    auto url = find_database(given.database);
    if (const auto* failed = std::get_if<exit_status>(&url)) {
        return *failed;
    }
    const postgres::connection_options log{.url = std::get<std::string>(url), .purpose = "rowcast command"};
    postgres::connection_options rows = log;
    if (given.database.url.empty() && !settings.rows.url.empty()) {
        rows.url = settings.rows.url;
    }
    return std::optional(app::sources{log, rows, nullptr});
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
    const auto asked = read_question(given);
    const auto from = find_sources(given, settings.database);
    if (const auto* failed = std::get_if<exit_status>(&from)) {
        return *failed;
    }
    const auto found = asked ? app::answer(*asked, settings.rules, *who, std::get<std::optional<app::sources>>(from)) : asked.error();
    if (!found) {
        const auto code = found.error().code;
        const exit_status status = report(found.error());
        return code == core::error_code::unavailable || code == core::error_code::internal ? status : exit_status::usage;
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
    command->add_option("--set", given->sets, "What a set holds for them, instead of what its query gives: a JSON list; may be repeated")
        ->type_name("NAME=LIST")
        ->group("Who");
    command->add_option("--token", given->token, "A token, verified as the bridge would")->type_name("TOKEN")->group("Who");
    command->add_option("--claims", given->claims, "All claims of a token, JSON")->type_name("JSON")->group("Who");
    command->add_flag("--json", given->json, "For machines");
    command->footer("Exit status: 0 the user gets it, 1 they do not, or PostgreSQL refuses to say; otherwise as everywhere.\n\n"
                    "  rowcast explain -c bridge.yaml -t public.orders --key '{\"id\":42}' --user 7 --role customer\n"
                    "  rowcast explain -c bridge.yaml --change 981 --token \"$TOKEN\"");
    on_chosen(*command, chosen, given, run);
}

} // namespace rowcast::cli
