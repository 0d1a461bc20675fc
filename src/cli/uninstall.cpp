#include "cli/commands.hpp"
#include "cli/terminal.hpp"
#include "cli/with_database.hpp"
#include "postgres/embedded_sql.hpp"

#include <unistd.h>

#include <iostream>
#include <memory>

namespace rowcast::cli {

namespace {

struct options {
    database_choice database;
    bool yes = false;
};

// True where a person at the terminal says so.
bool confirmed()
{
    std::cerr << "This removes the schema rowcast with the change log and every trigger; clients lose their place. Go "
                 "on? [y/N] ";
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

exit_status act(const options& given, postgres::administration& database)
{
    if (!given.yes && !is_terminal(STDIN_FILENO)) {
        std::cerr
            << "rowcast: uninstall removes the change log and every trigger; say --yes where nobody can be asked.\n";
        return exit_status::usage;
    }
    if (!given.yes && !confirmed()) {
        std::cerr << "Nothing was changed.\n";
        return exit_status::failed;
    }
    if (const auto done = database.uninstall(postgres::uninstall_sql); !done) {
        return report(done.error());
    }
    std::cout << "rowcast is gone from this database.\n";
    return exit_status::ok;
}

} // namespace

void add_uninstall(CLI::App& program, action& chosen)
{
    auto given = std::make_shared<options>();
    CLI::App* command = program.add_subcommand("uninstall", "Remove rowcast from a database without a trace");
    add_database_options(*command, given->database);
    command->add_flag("-y,--yes", given->yes, "Do not ask");
    command->footer("  rowcast uninstall --database postgresql://postgres@localhost/shop --yes");
    on_chosen(*command, chosen, given, on_database(act));
}

} // namespace rowcast::cli
