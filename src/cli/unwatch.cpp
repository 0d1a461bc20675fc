#include "cli/commands.hpp"
#include "cli/terminal.hpp"
#include "cli/with_database.hpp"

#include <iostream>
#include <memory>
#include <vector>

namespace rowcast::cli {

namespace {

struct options {
    database_choice database;
    std::vector<std::string> tables;
};

exit_status act(const options& given, postgres::administration& database)
{
    for (const std::string& table : given.tables) {
        const auto was = database.unwatch(table);
        if (!was) {
            return report(was.error());
        }
        std::cout << printable(table) << (*was ? " is no longer watched\n" : " was not watched\n");
    }
    return exit_status::ok;
}

} // namespace

void add_unwatch(CLI::App& program, action& chosen)
{
    auto given = std::make_shared<options>();
    CLI::App* command = program.add_subcommand("unwatch", "Stop capturing the changes of tables");
    command->add_option("TABLE", given->tables, "Tables as psql would find them")->required();
    add_database_options(*command, given->database);
    command->footer("Changes that are in the log already are still delivered.\n\n  rowcast unwatch public.orders");
    on_chosen(*command, chosen, given, on_database(act));
}

} // namespace rowcast::cli
