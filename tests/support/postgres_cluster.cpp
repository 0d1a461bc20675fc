#include "support/postgres_cluster.hpp"

#include "support/free_port.hpp"
#include "support/paths.hpp"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace rowcast::support {

namespace {

// Making a server runs initdb or copies another, which a busy machine may slow down a lot.
constexpr std::chrono::milliseconds initialization_time{300'000};

// PostgreSQL refuses to run as root.
const passwd* other_owner()
{
    if (::geteuid() != 0)
        return nullptr;
    const passwd* found = ::getpwnam("postgres");
    return found != nullptr ? found : ::getpwnam("nobody");
}

std::filesystem::path make_root()
{
    std::string path = std::filesystem::temp_directory_path() / "rowcast-test.XXXXXX";
    if (::mkdtemp(path.data()) == nullptr)
        throw std::system_error{errno, std::generic_category(), "mkdtemp"};
    std::ofstream{path + "/owner"} << ::getpid() << '\n'; // lets tests/support/cluster remove what a killed test leaves
    std::filesystem::create_directory(path + "/socket");
    if (const passwd* owner = other_owner()) {
        for (const std::string& each : {path, path + "/socket"})
            if (::chown(each.c_str(), owner->pw_uid, owner->pw_gid) != 0)
                throw std::system_error{errno, std::generic_category(), "chown " + each};
    }
    return path;
}

std::string content(const std::filesystem::path& path)
{
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, {}};
}

}

postgres_cluster::postgres_cluster(unstarted)
    : bindir_{run({source_dir() / "tests/support/cluster", "bindir"})}
    , root_{make_root()}
    , port_{free_port()}
{
}

postgres_cluster::postgres_cluster(std::vector<std::string> settings)
    : postgres_cluster{unstarted{}}
{
    // Trust on loopback too: the server lives for seconds and holds nothing.
    run(as_owner({bindir_ / "initdb", "--pgdata=" + (root_ / "data").string(), "--username=postgres", "--encoding=UTF8",
                  "--locale=C.UTF-8", "--auth=trust", "--no-sync"}),
        {}, initialization_time);
    configure_all(settings);
    start();
}

// A copy by hand: pg_basebackup refuses servers newer than itself, and writes settings that older ones do not know.
std::unique_ptr<postgres_cluster> postgres_cluster::standby_of(const postgres_cluster& primary,
                                                               std::vector<std::string> settings)
{
    std::unique_ptr<postgres_cluster> standby{new postgres_cluster{unstarted{}}};
    const std::string data = standby->root_ / "data";
    const auto shell = [&](const std::string& script, const std::string& from) {
        run(standby->as_owner({"sh", "-ec", script, from, data}), {}, initialization_time);
    };
    pqxx::connection connection = primary.connect();
    pqxx::nontransaction backup{connection};
    const bool renamed = connection.server_version() >= 150000;
    backup.exec(renamed ? "select pg_backup_start('standby', true)" : "select pg_start_backup('standby', true, false)");
    // What is written meanwhile is mended from the WAL.
    shell("mkdir -m 700 $1; tar -C $0 --exclude=./postmaster.* --exclude=./pg_stat_tmp/* -c . | tar -C $1 -x",
          primary.root_ / "data");
    const auto label = backup.exec1(renamed ? "select labelfile from pg_backup_stop(false)"
                                            : "select labelfile from pg_stop_backup(false, false)");
    shell("printf %s \"$0\" > $1/backup_label; touch $1/standby.signal", label[0].as<std::string>());
    standby->configure("primary_conninfo = 'host=" + (primary.root_ / "socket").string() +
                       " port=" + std::to_string(primary.port_) + " user=postgres'");
    standby->configure_all(settings);
    standby->start();
    return standby;
}

postgres_cluster::~postgres_cluster()
{
    if (server_)
        signal_all(SIGKILL);
    server_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
}

std::string postgres_cluster::url(std::string_view database) const
{
    return "postgresql:///" + std::string{database} + "?host=" + (root_ / "socket").string() +
           "&port=" + std::to_string(port_) + "&user=postgres";
}

std::string postgres_cluster::tcp_url(std::string_view database) const
{
    return "postgresql://postgres@127.0.0.1:" + std::to_string(port_) + "/" + std::string{database};
}

pqxx::connection postgres_cluster::connect(std::string_view database) const
{
    return pqxx::connection{url(database)};
}

bool postgres_cluster::running()
{
    return server_ && server_->running();
}

void postgres_cluster::start()
{
    if (running())
        return;
    server_ = std::make_unique<process>(
        as_owner({bindir_ / "postgres", "-D", root_ / "data", "-p", std::to_string(port_), "-k", root_ / "socket"}));
    const bool accepts = eventually(
        [this] {
            try {
                connect();
                return true;
            } catch (const pqxx::failure&) {
                return !running();
            }
        },
        initialization_time);
    if (!accepts || !running())
        throw std::runtime_error{"this PostgreSQL did not start:\n" + log()};
}

void postgres_cluster::stop()
{
    if (!running())
        return;
    server_->signal(SIGINT);
    server_->wait(initialization_time);
}

void postgres_cluster::restart()
{
    stop();
    start();
}

void postgres_cluster::crash()
{
    freeze();
    const std::vector<pid_t> killed = processes();
    signal_all(SIGKILL);
    server_->wait();
    // Until the last one has let go of the shared memory, PostgreSQL refuses to start again.
    const auto gone = [](pid_t each) {
        const std::string stat = content("/proc/" + std::to_string(each) + "/stat");
        return stat.empty() || stat.find(") Z ") != std::string::npos;
    };
    if (!eventually([&] { return std::all_of(killed.begin(), killed.end(), gone); }))
        throw std::runtime_error{"PostgreSQL's processes survived kill -9"};
}

void postgres_cluster::freeze()
{
    // The postmaster first: it starts no further process while the others are looked up.
    server_->signal(SIGSTOP);
    signal_all(SIGSTOP);
}

void postgres_cluster::thaw()
{
    signal_all(SIGCONT);
}

void postgres_cluster::promote()
{
    pqxx::connection connection = connect();
    pqxx::nontransaction work{connection};
    work.exec("select pg_promote(true)");
}

void postgres_cluster::configure(std::string_view line)
{
    std::ofstream{root_ / "data/postgresql.conf", std::ios::app} << line << '\n';
}

void postgres_cluster::configure_all(const std::vector<std::string>& settings)
{
    for (const char* line :
         {"listen_addresses = '127.0.0.1'", "max_connections = 100", "max_prepared_transactions = 20", "fsync = off",
          "logging_collector = on", "log_directory = '../log'", "log_filename = 'postgres.log'", "hot_standby = on"})
        configure(line);
    for (const std::string& line : settings)
        configure(line);
}

std::string postgres_cluster::log() const
{
    return content(root_ / "log/postgres.log");
}

std::vector<std::string> postgres_cluster::as_owner(std::vector<std::string> command) const
{
    const passwd* owner = other_owner();
    if (owner == nullptr)
        return command;
    // The kernel forgets the signal of a parent's death when the user changes, so setpriv asks for it again.
    std::vector<std::string> result{"setpriv",
                                    "--reuid=" + std::to_string(owner->pw_uid),
                                    "--regid=" + std::to_string(owner->pw_gid),
                                    "--clear-groups",
                                    "--pdeathsig=KILL",
                                    "--"};
    std::move(command.begin(), command.end(), std::back_inserter(result));
    return result;
}

// PostgreSQL's processes are in groups of their own, so they are looked up by their parent.
std::vector<pid_t> postgres_cluster::processes() const
{
    std::vector<pid_t> result{server_->id()};
    const std::string id = std::to_string(server_->id());
    std::istringstream children{content("/proc/" + id + "/task/" + id + "/children")};
    std::copy(std::istream_iterator<pid_t>{children}, {}, std::back_inserter(result));
    return result;
}

void postgres_cluster::signal_all(int number) const
{
    for (const pid_t each : processes())
        ::kill(each, number);
}

}
