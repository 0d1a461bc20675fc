#include "cli/settings.hpp"

#include "cli/terminal.hpp"
#include "config/load.hpp"

#include <cstdlib>
#include <iostream>

namespace rowcast::cli {

namespace {

bool is_set(const char* name)
{
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0';
}

} // namespace

void add_database_options(CLI::App& command, database_choice& into)
{
    command
        .add_option("-d,--database", into.url,
                    "Where PostgreSQL is: postgresql://user@host/name (or DATABASE_URL, or the file's)")
        ->type_name("URL");
    command.add_option("-c,--config", into.file, "Take the database from this bridge.yaml")->type_name("FILE");
}

or_exit<std::string> find_database(const database_choice& from)
{
    if (!from.url.empty()) {
        return from.url;
    }
    if (!from.file.empty()) {
        auto loaded = read_configuration(from.file);
        if (const auto* failed = std::get_if<exit_status>(&loaded)) {
            return *failed;
        }
        if (const std::string& url = std::get<config::configuration>(loaded).database.url; !url.empty()) {
            return url;
        }
    }
    if (is_set("DATABASE_URL")) {
        return std::string(std::getenv("DATABASE_URL"));
    }
    if (is_set("PGHOST") || is_set("PGDATABASE") || is_set("PGSERVICE")) {
        return std::string();
    }
    std::cerr << "rowcast: which database? Give --database postgresql://user@host/name, or set DATABASE_URL.\n";
    return exit_status::usage;
}

or_exit<config::configuration> read_configuration(const std::string& file)
{
    auto loaded = config::load(file);
    if (auto* problems = std::get_if<std::vector<config::problem>>(&loaded)) {
        for (const config::problem& each : *problems) {
            std::cerr << printable_lines(config::to_string(each, file)) << '\n';
        }
        return exit_status::configuration_invalid;
    }
    return std::get<config::configuration>(std::move(loaded));
}

} // namespace rowcast::cli
