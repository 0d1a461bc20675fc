#include "cli/commands.hpp"
#include "cli/terminal.hpp"
#include "core/nearest.hpp"
#include "core/version.hpp"
#include "postgres/database_error.hpp"

#include <algorithm>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using rowcast::cli::exit_status;

exit_status unknown(CLI::App& program, const std::string& word)
{
    std::vector<std::string_view> names;
    for (const CLI::App* each : program.get_subcommands({})) {
        names.push_back(each->get_name());
    }
    std::cerr << "rowcast: there is no command " << rowcast::cli::printable(word)
              << rowcast::core::did_you_mean(word, names) << " (rowcast --help lists them)\n";
    return exit_status::usage;
}

exit_status run(int argc, char** argv)
{
    namespace cli = rowcast::cli;
    CLI::App program{"Live row changes from PostgreSQL to web clients.", "rowcast"};
    program.set_version_flag("--version", "rowcast " + std::string{rowcast::core::full_version()});
    program.require_subcommand(1);
    program.get_formatter()->column_width(34);
    program.footer(
        "`rowcast COMMAND --help` tells a command's options. The quickest look: rowcast demo\n\n"
        "Exit status: 0 all is well, 1 it failed, 2 the command line is wrong, 3 the configuration is invalid,\n"
        "4 the database cannot be reached.");
    cli::action chosen;
    cli::add_serve(program, chosen);
    cli::add_install(program, chosen);
    cli::add_uninstall(program, chosen);
    cli::add_watch(program, chosen);
    cli::add_unwatch(program, chosen);
    cli::add_status(program, chosen);
    cli::add_tail(program, chosen);
    cli::add_revoke(program, chosen);
    cli::add_explain(program, chosen);
    cli::add_check(program, chosen);
    cli::add_doctor(program, chosen);
    cli::add_token(program, chosen);
    cli::add_demo(program, chosen);
    if (argc < 2) {
        std::cerr << program.help();
        return exit_status::usage;
    }
    const std::string word = argv[1];
    const auto named = [&](const CLI::App* each) { return each->get_name() == word; };
    const auto commands = program.get_subcommands({});
    if (!word.starts_with('-') && std::none_of(commands.begin(), commands.end(), named)) {
        return unknown(program, word);
    }
    try {
        program.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return program.exit(error) == 0 ? exit_status::ok : exit_status::usage;
    }
    return chosen();
}

} // namespace

int main(int argc, char** argv)
{
    auto status = exit_status::failed;
    try {
        status = run(argc, argv);
    } catch (const rowcast::postgres::connection_lost& error) {
        std::cerr << "rowcast: " << rowcast::cli::printable_lines(error.what()) << '\n';
        status = exit_status::database_unreachable;
    } catch (const std::exception& error) {
        std::cerr << "rowcast: " << rowcast::cli::printable_lines(error.what()) << '\n';
    }
    std::cout.flush();
    return static_cast<int>(std::cout.good() || status != exit_status::ok ? status : exit_status::failed);
}
