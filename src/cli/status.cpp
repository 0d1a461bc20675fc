#include "cli/commands.hpp"
#include "cli/status_text.hpp"
#include "cli/with_database.hpp"

#include <unistd.h>

#include <iostream>
#include <memory>

namespace rowcast::cli {

namespace {

struct options {
    database_choice database;
    bool json = false;
};

exit_status act(const options& given, postgres::administration& database)
{
    const auto status = database.status();
    if (!status) {
        return report(status.error());
    }
    if (given.json) {
        std::cout << status_json(*status) << '\n';
    } else {
        std::cout << status_text(*status, painter(wants_colour(STDOUT_FILENO)), terminal_width());
    }
    return exit_status::ok;
}

} // namespace

void add_status(CLI::App& program, action& chosen)
{
    auto given = std::make_shared<options>();
    CLI::App* command = program.add_subcommand("status", "What is watched, how large the log is, who is connected");
    add_database_options(*command, given->database);
    command->add_flag("--json", given->json, "For programs");
    command->footer("  rowcast status --database postgresql://postgres@localhost/shop");
    on_chosen(*command, chosen, given, on_database(act));
}

} // namespace rowcast::cli
