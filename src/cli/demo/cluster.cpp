#include "cli/demo/cluster.hpp"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace rowcast::cli::demo {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// What pg_ctl looks for: the eighth line of postmaster.pid.
bool is_ready(const fs::path& data)
{
    std::ifstream file(data / "postmaster.pid");
    std::string line;
    for (int number = 1; std::getline(file, line); ++number) {
        if (number == 8) {
            return line.starts_with("ready");
        }
    }
    return false;
}

} // namespace

temporary_folder::temporary_folder(const std::optional<account>& owner)
{
    std::string name = fs::temp_directory_path() / "rowcast-demo.XXXXXX";
    if (mkdtemp(name.data()) == nullptr) {
        throw std::system_error(errno, std::generic_category(),
                                "cannot make a folder in " + fs::temp_directory_path().string());
    }
    path_ = name;
    if (owner && chown(name.c_str(), owner->user, owner->group) != 0) {
        throw std::system_error(errno, std::generic_category(), "cannot give " + name + " to " + owner->name);
    }
}

temporary_folder::~temporary_folder()
{
    if (!kept_) {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
}

cluster::cluster(const programs& found, const fs::path& root, const std::optional<account>& owner, interruption& stop)
    : programs_(found)
    , root_(root)
    , owner_(owner)
{
    const fs::path data = root / "data";
    run({programs_.initdb, "--pgdata=" + data.string(), "--username=postgres", "--encoding=UTF8", "--locale=C",
         "--auth=trust", "--no-sync"},
        surroundings("initdb.log"), stop);

    child::options how = surroundings("postgres.log");
    how.ending = SIGINT; // "fast": ends the connections, then stops
    server_.emplace(std::vector<std::string>{programs_.postgres, "-D", data, "-p", "5432", "-c",
                                             "listen_addresses=", "-c", "unix_socket_directories=" + root.string(),
                                             "-c", "unix_socket_permissions=0700"},
                    how);
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (!is_ready(data)) {
        if (!server_->running() || std::chrono::steady_clock::now() > deadline) {
            throw std::runtime_error("the private PostgreSQL does not start:\n" + tail_of(log()));
        }
        stop.pause(20ms);
    }
}

std::string cluster::url(std::string_view user, std::string_view database) const
{
    // As keywords: a folder's name needs no percent-encoding there (mkdtemp and TMPDIR make no quotes).
    return "host=" + root_.string() + " port=5432 user=" + std::string(user) + " dbname=" + std::string(database);
}

std::string cluster::psql_line(std::string_view user, std::string_view database) const
{
    // Who runs the demo with sudo does not own the socket in another terminal.
    const std::string as_owner = owner_ && std::getenv("SUDO_USER") != nullptr ? "sudo " : "";
    return as_owner + "psql -h " + root_.string() + " -U " + std::string(user) + " " + std::string(database);
}

void cluster::execute(std::string_view user, std::string_view database, std::string_view sql, interruption& stop) const
{
    run({programs_.psql, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname=" + url(user, database),
         "--command=" + std::string(sql)},
        surroundings("psql.log"), stop);
}

child::options cluster::surroundings(std::string_view log_name) const
{
    // SIGQUIT would leave a core of the helpers; SIGTERM ends each of them at once.
    return {owner_, root_ / log_name, root_, SIGTERM};
}

} // namespace rowcast::cli::demo
