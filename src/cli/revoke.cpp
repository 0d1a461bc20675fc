#include "cli/commands.hpp"
#include "cli/terminal.hpp"
#include "cli/with_database.hpp"
#include "config/quantity.hpp"

#include <iostream>
#include <memory>

namespace rowcast::cli {

namespace {

struct options {
    database_choice database;
    std::string user;
    std::string token;
    std::string session;
    std::string lasts;
    std::string reason;
};

exit_status act(const options& given, postgres::administration& database)
{
    postgres::revocation_wish wish;
    for (const auto& [kind, name] : {std::pair("user", given.user), {"token", given.token}, {"session", given.session}}) {
        if (!name.empty()) {
            wish.kind = kind;
            wish.name = name;
        }
    }
    if (!given.lasts.empty()) {
        const auto lasts = config::parse_duration(given.lasts);
        if (!lasts || lasts->count() <= 0) {
            std::cerr << "rowcast: --for wants a duration like 15m, 1h or 7d.\n";
            return exit_status::usage;
        }
        wish.lasts = *lasts;
    }
    if (!given.reason.empty()) {
        wish.reason = given.reason;
    }
    const auto until = database.revoke(wish);
    if (!until) {
        return report(until.error());
    }
    std::cout << "The " << wish.kind << ' ' << printable(wish.name) << " is revoked, until " << *until << ".\n";
    return exit_status::ok;
}

} // namespace

void add_revoke(CLI::App& program, action& chosen)
{
    auto given = std::make_shared<options>();
    CLI::App* command = program.add_subcommand("revoke", "Let a user, a token or a session in no more, at every bridge");
    auto* whom = command->add_option_group("whom");
    whom->add_option("-u,--user", given->user, "All tokens that this user (`sub`) has been given so far")->type_name("USER");
    whom->add_option("-t,--token", given->token, "One token, by its `jti`")->type_name("JTI");
    whom->add_option("-s,--session", given->session, "One session, by what its welcome message says")->type_name("SESSION");
    whom->require_option(1);
    command->add_option("--for", given->lasts, "For how long: as long as the longest token lasts (default: 24h)")->type_name("DURATION");
    command->add_option("--reason", given->reason, "A note for other operators")->type_name("TEXT");
    add_database_options(*command, given->database);
    command->footer("Sessions that are open end at once with close code 4401. A user may come back with a token that was issued\n"
                    "later; one without `iat` does not say when it was, and is refused.\n\n"
                    "  rowcast revoke --user 7 --reason 'lost phone'");
    on_chosen(*command, chosen, given, on_database(act));
}

} // namespace rowcast::cli
