#include "cli/commands.hpp"
#include "cli/notices.hpp"
#include "cli/settings.hpp"
#include "core/version.hpp"
#include "postgres/administration.hpp"
#include "postgres/embedded_sql.hpp"

#include <iostream>
#include <memory>

namespace rowcast::cli {

namespace {

struct options {
    database_choice database;
    std::string grant;
};

exit_status run(const options& given)
{
    const auto url = find_database(given.database);
    if (const auto* failed = std::get_if<exit_status>(&url)) {
        return *failed;
    }
    postgres::administration database({.url = std::get<std::string>(url)}, say_notice);
    if (const auto done = database.install(postgres::install_sql); !done) {
        return report(done.error());
    }
    std::cout << "rowcast " << core::version() << " is installed in this database: the schema rowcast, nothing else.\n";
    if (!given.grant.empty()) {
        if (const auto done = database.grant_bridge(given.grant); !done) {
            return report(done.error());
        }
        std::cout << "The bridge may connect as " << given.grant << ".\n";
    }
    std::cout << "Next: rowcast watch TABLE...\n";
    return exit_status::ok;
}

} // namespace

void add_install(CLI::App& program, action& chosen)
{
    auto given = std::make_shared<options>();
    CLI::App* command = program.add_subcommand("install", "Install or upgrade rowcast's schema in a database");
    add_database_options(*command, given->database);
    command->add_option("-g,--grant", given->grant, "Also give this role what the bridge needs, and no more")
        ->type_name("ROLE");
    command->footer("Safe to repeat. Wants a role that may create a schema, and once, two roles without login; no "
                    "superuser, no restart.\n\n"
                    "  rowcast install --database postgresql://postgres@localhost/shop --grant rowcast_bridge");
    on_chosen(*command, chosen, given, run);
}

} // namespace rowcast::cli
