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
    std::vector<std::string> columns;
    std::vector<std::string> except;
    std::vector<std::string> key;
    bool notify = false;
    bool no_notify = false;
    std::string grant;
};

std::optional<std::vector<std::string>> if_any(const std::vector<std::string>& names)
{
    return names.empty() ? std::nullopt : std::optional(names);
}

exit_status act(const options& given, postgres::administration& database)
{
    for (const std::string& table : given.tables) {
        const auto notify = given.no_notify ? std::optional(false) : given.notify ? std::optional(true) : std::nullopt;
        const auto name =
            database.watch({table, if_any(given.columns), if_any(given.except), if_any(given.key), notify});
        if (!name) {
            return report(name.error());
        }
        std::cout << "watching " << printable(*name) << '\n';
    }
    return grant_to(given.grant, database);
}

} // namespace

void add_watch(CLI::App& program, action& chosen)
{
    auto given = std::make_shared<options>();
    CLI::App* command = program.add_subcommand("watch", "Capture the changes of tables");
    command->add_option("TABLE", given->tables, "Tables as psql would find them, e.g. public.orders")->required();
    add_database_options(*command, given->database);
    auto* columns =
        command->add_option("--columns", given->columns, "Only these columns; what is not captured cannot leak")
            ->delimiter(',')
            ->type_name("A,B");
    command->add_option("--except", given->except, "All columns but these")
        ->delimiter(',')
        ->type_name("A,B")
        ->excludes(columns);
    command->add_option("--key", given->key, "What identifies a row, where there is no primary key")
        ->delimiter(',')
        ->type_name("A,B");
    auto* no = command->add_flag("--no-notify", given->no_notify, "Do not ring; changes are found every poll_interval");
    command->add_flag("--notify", given->notify, "Ring, although the server allows two-phase commit (see docs/sql.md)")
        ->excludes(no);
    command->add_option("-g,--grant", given->grant, "Also give this role what the bridge needs")->type_name("ROLE");
    command->footer("Watching a table again replaces its options: what is not said anew has its default. Writers are never made to queue.\n\n"
                    "  rowcast watch public.orders public.order_lines\n"
                    "  rowcast watch public.users --columns id,name,avatar");
    on_chosen(*command, chosen, given, on_database(act));
}

} // namespace rowcast::cli
