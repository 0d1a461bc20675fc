#include "core/version.hpp"

#include <CLI/CLI.hpp>

#include <string>

int main(int argc, char** argv)
{
    CLI::App app{"Live row changes from PostgreSQL to web clients.", "rowcast"};
    app.set_version_flag("--version", "rowcast " + std::string{rowcast::core::version()});
    CLI11_PARSE(app, argc, argv);
    return 0;
}
