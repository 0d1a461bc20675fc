#include "support/dump.hpp"

#include "support/paths.hpp"
#include "support/process.hpp"

#include <catch2/catch.hpp>

#include <fstream>

namespace rowcast::support {

namespace {

std::string program(const std::string& name)
{
    std::ifstream file{cluster_dir() / "bindir"};
    std::string folder;
    std::getline(file, folder);
    const std::filesystem::path servers = std::filesystem::path{folder} / name;
    return exists(servers) ? servers.string() : name;
}

void shell(const std::string& command)
{
    run({"sh", "-c", command});
}

}

bool dump::possible(const database& of)
{
    const int server = of.connect().server_version() / 10000;
    const std::string said = run({program("pg_dump"), "--version"}); // "pg_dump (PostgreSQL) 15.18 (Debian ...)"
    if (std::stoi(said.substr(said.find(") ") + 2)) >= server)
        return true;
    WARN("not tested: there is no pg_dump for PostgreSQL " << server);
    return false;
}

dump::dump(const database& of, const std::string& options)
    : file_{std::filesystem::temp_directory_path() / (of.name() + ".sql")}
{
    shell(program("pg_dump") + " " + options + " '" + of.url() + "' -f '" + file_.string() + "'");
}

dump::~dump()
{
    std::error_code ignored;
    std::filesystem::remove(file_, ignored);
}

void dump::restore(const database& into, const std::string& options) const
{
    shell(program("psql") + " -X -q -v ON_ERROR_STOP=1 " + options + " '" + into.url() + "' -f '" + file_.string() + "'");
}

}
