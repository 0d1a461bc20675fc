#include "cli/commands.hpp"
#include "cli/with_database.hpp"
#include "core/version.hpp"
#include "postgres/embedded_sql.hpp"

#include <iostream>
#include <memory>

namespace rowcast::cli {

namespace {

struct options {
    database_choice database;
    std::string grant;
};

exit_status act(const options& given, postgres::administration& database)
{
    if (const auto done = database.install(postgres::install_sql); !done) {
        return report(done.error());
    }
    std::cout << "rowcast " << core::version() << " is installed in this database: the schema rowcast, nothing else.\n";
    if (const exit_status granted = grant_to(given.grant, database); granted != exit_status::ok) {
        return granted;
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
    on_chosen(*command, chosen, given, on_database(act));
}

} // namespace rowcast::cli
