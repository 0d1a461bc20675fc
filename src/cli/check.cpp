#include "cli/commands.hpp"
#include "cli/configuration_problems.hpp"
#include "cli/explanation_text.hpp"
#include "cli/settings.hpp"
#include "cli/terminal.hpp"
#include "config/expectations.hpp"
#include "config/load.hpp"
#include "core/counted.hpp"
#include "net/tls.hpp"
#include "postgres/catalog_reader.hpp"
#include "protocol/explanation_json.hpp"

#include <unistd.h>

#include <iostream>
#include <memory>
#include <stdexcept>

namespace rowcast::cli {

namespace {

using core::counted;

struct options {
    std::string file;
    std::string database;
    bool offline = false;
    bool json = false;
};

// What was found, on its way to people (stderr, as compilers do) or to machines (stdout).
class report_writer {
public:
    explicit report_writer(const options& given)
        : given_(given)
        , paint_(wants_colour(STDERR_FILENO))
    {
    }

    void tell(const config::problem& what, const policy::explanation* why = nullptr)
    {
        const bool error = what.how_bad == config::problem::weight::error;
        if (!given_.json) {
            std::cerr << printable_lines(config::to_string(what, given_.file)) << '\n'
                      << (why ? explanation_text(*why, paint_, "    ") : "");
            return;
        }
        json_ += json_.empty() ? "{" : ",{";
        if (what.at.line > 0) {
            json_ += "\"line\":" + std::to_string(what.at.line) + ",\"column\":" + std::to_string(what.at.column) + ",";
        }
        json_ += std::string("\"severity\":\"") + (error ? "error" : "warning") + "\",\"message\":";
        core::append_quoted(json_, what.message);
        json_ += (why ? ",\"explanation\":" + protocol::to_json(*why) : "") + "}";
    }

    void tell(const std::vector<config::problem>& all)
    {
        for (const config::problem& each : all) {
            tell(each);
        }
    }

    // `summary` is for people.
    void end(const std::string& summary)
    {
        if (given_.json) {
            std::cout << "[" << json_ << "]\n";
        } else if (!summary.empty()) {
            std::cout << summary << '\n';
        }
    }

private:
    const options& given_;
    const painter paint_;
    std::string json_;
};

exit_status run(const options& given)
{
    report_writer out(given);
    const auto loaded = config::load(given.file);
    if (const auto* problems = std::get_if<std::vector<config::problem>>(&loaded)) {
        out.tell(*problems);
        out.end("");
        return exit_status::configuration_invalid;
    }
    const auto& read = std::get<config::configuration>(loaded);
    const std::string url = given.offline ? "" : given.database.empty() ? read.database.url : given.database;
    std::vector<config::problem> problems = problems_of(read);
    try {
        net::make_tls_context(read.server.certificate);
    } catch (const std::invalid_argument& unusable) {
        problems.push_back({{}, unusable.what()});
    }
    policy::catalog_ptr watched;
    try {
        if (!url.empty()) {
            postgres::connection on({.url = url, .purpose = "rowcast command"});
            watched = postgres::read_catalog(on);
            for (config::problem& each : problems_with(read, on, *watched, url)) {
                problems.push_back(std::move(each));
            }
        }
    } catch (const postgres::database_error&) {
        out.tell(problems);
        out.end("");
        throw;
    }
    config::sort_by_place(problems);
    out.tell(problems);
    std::size_t unmet = 0;
    std::size_t undecided = 0;
    for (const config::disappointment& each : config::hold(read, watched.get())) {
        out.tell(each.what, each.why ? &*each.why : nullptr);
        ++(each.what.how_bad == config::problem::weight::error ? unmet : undecided);
    }
    if (config::has_errors(problems)) {
        out.end("");
        return exit_status::configuration_invalid;
    }
    std::size_t rules = 0;
    for (const auto& [name, of_table] : read.rules.tables) {
        rules += of_table.size();
    }
    std::string summary = printable(given.file) + " is valid: " + counted(rules, "rule") + " for " +
                          counted(read.rules.tables.size(), "table") +
                          (watched ? ", which fit the database" : " (not held against a database; --database URL does that)");
    if (!read.expectations.empty()) {
        summary += "; " + std::to_string(read.expectations.size() - unmet - undecided) + " of " +
                   counted(read.expectations.size(), "expectation") + " met" +
                   (undecided ? ", " + std::to_string(undecided) + " not decided" : "");
    }
    out.end(summary + ".");
    return unmet ? exit_status::failed : exit_status::ok;
}

} // namespace

void add_check(CLI::App& program, action& chosen)
{
    auto given = std::make_shared<options>();
    CLI::App* command =
        program.add_subcommand("check", "Say what is wrong with a configuration, and whether its expectations are met");
    command->add_option("-c,--config,FILE", given->file, "The bridge.yaml, with or without --config before it")->required()->option_text("FILE");
    command
        ->add_option("-d,--database", given->database,
                     "Hold its rules against the watched tables of this database (or DATABASE_URL, or the file's)")
        ->type_name("URL");
    command->add_flag("--offline", given->offline, "Against no database");
    command->add_flag("--json", given->json, "For machines: a list of what was found");
    command->footer("Exit status: 0 it is valid, 1 an expectation is not met, 3 it is invalid, 4 the database cannot be reached.\n\n"
                    "  rowcast check --config config/bridge.yaml --database postgresql://localhost/shop");
    on_chosen(*command, chosen, given, run);
}

} // namespace rowcast::cli
