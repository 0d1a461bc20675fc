#include "cli/commands.hpp"
#include "cli/settings.hpp"
#include "cli/terminal.hpp"
#include "config/load.hpp"
#include "postgres/catalog_reader.hpp"

#include <iostream>
#include <memory>

namespace rowcast::cli {

namespace {

struct options {
    std::string file;
    std::string database;
};

// Rules against the tables as they are. False where an error was found.
bool check_rules(const config::configuration& read, const options& given)
{
    postgres::connection on({.url = given.database, .purpose = "rowcast command"});
    const std::vector<config::problem> problems = config::check(read.rules, *postgres::read_catalog(on));
    for (const config::problem& each : problems) {
        std::cerr << printable_lines(config::to_string(each, given.file)) << '\n';
    }
    return !config::has_errors(problems);
}

exit_status run(const options& given)
{
    const auto loaded = read_configuration(given.file);
    if (const auto* failed = std::get_if<exit_status>(&loaded)) {
        return *failed;
    }
    const auto& read = std::get<config::configuration>(loaded);
    if (!given.database.empty() && !check_rules(read, given)) {
        return exit_status::configuration_invalid;
    }
    std::size_t rules = 0;
    for (const auto& [name, of_table] : read.rules.tables) {
        rules += of_table.size();
    }
    std::cout << printable(given.file) << " is valid: " << rules << (rules == 1 ? " rule" : " rules") << " for "
              << read.rules.tables.size() << (read.rules.tables.size() == 1 ? " table" : " tables")
              << (given.database.empty() ? " (not held against a database; --database URL does that)"
                                         : ", which fit the database")
              << ".\n";
    return exit_status::ok;
}

} // namespace

void add_check(CLI::App& program, action& chosen)
{
    auto given = std::make_shared<options>();
    CLI::App* command = program.add_subcommand("check", "Say what is wrong with a configuration");
    command->add_option("-c,--config,FILE", given->file, "The bridge.yaml")->required()->type_name("FILE");
    command
        ->add_option("-d,--database", given->database,
                     "Also hold its rules against the watched tables of this database")
        ->type_name("URL");
    command->footer("  rowcast check --config config/bridge.yaml --database postgresql://localhost/shop");
    on_chosen(*command, chosen, given, run);
}

} // namespace rowcast::cli
