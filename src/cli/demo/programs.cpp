#include "cli/demo/programs.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace rowcast::cli::demo {

namespace {

namespace fs = std::filesystem;

void add_from_pg_config(std::vector<fs::path>& folders)
{
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe{popen("pg_config --bindir 2>/dev/null", "r"), pclose};
    char line[4096];
    if (pipe && std::fgets(line, sizeof line, pipe.get()) != nullptr) {
        std::string text = line;
        text.erase(text.find_last_not_of("\n\r ") + 1);
        folders.emplace_back(text);
    }
}

// Debian's place for the versions that are installed beside each other.
void add_from_debian(std::vector<fs::path>& folders)
{
    std::vector<std::pair<int, fs::path>> versions;
    std::error_code ignored;
    for (const auto& each : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
        versions.emplace_back(std::atoi(each.path().filename().c_str()), each.path() / "bin");
    }
    std::sort(versions.rbegin(), versions.rend());
    for (auto& [version, folder] : versions) {
        folders.push_back(std::move(folder));
    }
}

void add_from_path(std::vector<fs::path>& folders)
{
    const char* path = std::getenv("PATH");
    std::istringstream stream{path != nullptr ? path : ""};
    for (std::string folder; std::getline(stream, folder, ':');) {
        folders.emplace_back(folder);
    }
}

fs::path find(const char* name, const std::vector<fs::path>& folders)
{
    for (const fs::path& folder : folders) {
        if (access((folder / name).c_str(), X_OK) == 0) {
            return folder / name;
        }
    }
    throw std::runtime_error(std::string("PostgreSQL's program ") + name +
                             " was not found. Install PostgreSQL 13 or newer (Debian: apt-get install postgresql), or "
                             "set ROWCAST_POSTGRES_BIN to the folder that has it.");
}

} // namespace

programs find_programs()
{
    std::vector<fs::path> folders;
    if (const char* chosen = std::getenv("ROWCAST_POSTGRES_BIN")) {
        folders.emplace_back(chosen);
    }
    add_from_debian(folders);
    add_from_pg_config(folders);
    add_from_path(folders);

    programs found;
    found.postgres = find("postgres", folders);
    // The server and its initdb must be of one version; the others may be of any.
    folders.insert(folders.begin(), found.postgres.parent_path());
    found.initdb = find("initdb", folders);
    found.pgbench = find("pgbench", folders);
    found.psql = find("psql", folders);
    return found;
}

} // namespace rowcast::cli::demo
