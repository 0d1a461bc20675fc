#include "cli/commands.hpp"
#include "cli/notices.hpp"
#include "cli/settings.hpp"
#include "cli/terminal.hpp"
#include "postgres/administration.hpp"

#include <iostream>
#include <memory>
#include <vector>

namespace rowcast::cli {

namespace {

struct options {
    database_choice database;
    std::vector<std::string> tables;
};

exit_status run(const options& given)
{
    const auto url = find_database(given.database);
    if (const auto* failed = std::get_if<exit_status>(&url)) {
        return *failed;
    }
    postgres::administration database({.url = std::get<std::string>(url)}, say_notice);
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
    on_chosen(*command, chosen, given, run);
}

} // namespace rowcast::cli
