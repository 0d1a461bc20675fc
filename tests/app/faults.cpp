#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <list>
#include <thread>

#include "app/running_bridge.hpp"
#include "postgres/embedded_sql.hpp"
#include "support/free_port.hpp"
#include "support/paths.hpp"
#include "support/postgres_cluster.hpp"
#include "support/subscriber.hpp"
#include "support/tcp_proxy.hpp"

namespace rowcast {
namespace {

using namespace std::chrono_literals;
using support::every_way;
using support::name_of;
using support::postgres_cluster;
using support::subscriber;
using support::way;

constexpr auto long_enough = 60s; // the longest pause between two tries is ten

// `rowcast serve` with the table t for everybody, as a process that can be killed and stopped.
class served {
public:
    explicit served(const std::string& url) : port_(support::free_port())
    {
        file_ = std::filesystem::temp_directory_path() / ("rowcast-faults-" + std::to_string(port_) + ".yaml");
        std::ofstream(file_) << "database: {url: \"" << url << "\", poll_interval: 200ms}\n"
                             << "server: {listen: \"127.0.0.1:" << port_ << "\", admin: \"127.0.0.1:0\", limits: {connects_per_second_per_address: 100000}}\n"
                             << "tables: {public.t: [{roles: [anonymous]}]}\n";
        start();
    }
    ~served() { std::filesystem::remove(file_); }

    void start()
    {
        child_.emplace(std::vector<std::string>{support::rowcast_binary().string(), "serve", "--config", file_});
        child_->error_line_with("listening");
        becomes_ready();
    }
    void kill()
    {
        child_->signal(SIGKILL);
        child_->wait();
    }
    void freeze() { child_->signal(SIGSTOP); }
    void thaw() { child_->signal(SIGCONT); }

    std::uint16_t port() const { return port_; }

    void becomes_ready() const
    {
        REQUIRE(support::eventually([&] { return readiness().status == 200; }, long_enough));
        REQUIRE(support::eventually([&] { return support::http_client(port_).get("/v1/changes?table=public.t").status == 200; }));
    }
    // That /readyz says 503, and why; before each look `provoke` is called.
    void says(const std::string& why, const std::function<void()>& provoke = [] {}) const
    {
        std::string said;
        const bool right = support::eventually(
            [&] {
                provoke();
                const auto answer = readiness();
                said = answer.body;
                return answer.status == 503 && answer.body.find(why) != std::string::npos;
            },
            long_enough);
        INFO(said);
        CHECK(right);
    }

private:
    support::http_client::answer readiness() const { return support::http_client(port_).get("/readyz"); }

    std::uint16_t port_;
    std::filesystem::path file_;
    std::optional<support::process> child_;
};

// One client on each transport, who come back with their cursors when their connection is lost, and note what they get.
class audience {
public:
    explicit audience(std::uint16_t port)
    {
        for (const way how : every_way) {
            threads_.emplace_back([this, how, port] { follow(how, port); });
        }
        REQUIRE(support::eventually([this] { return listening_ == threads_.size(); }));
    }
    ~audience() { join(); }

    // Everybody has been given the rows from 1 to `last`, each once, in order, and nobody was told to read again.
    void has(int last)
    {
        last_ = last;
        join();
        for (const way how : every_way) {
            INFO(name_of(how));
            INFO(problems_[static_cast<std::size_t>(how)]);
            const auto& ids = got_[static_cast<std::size_t>(how)];
            REQUIRE(ids.size() == static_cast<std::size_t>(last));
            for (int i = 0; i < last; ++i) {
                REQUIRE(ids[static_cast<std::size_t>(i)] == i + 1);
            }
        }
        CHECK(resyncs_ == 0);
    }

private:
    void follow(way how, std::uint16_t port)
    {
        auto& ids = got_[static_cast<std::size_t>(how)];
        auto& problem = problems_[static_cast<std::size_t>(how)];
        const auto until = std::chrono::steady_clock::now() + 150s;
        std::optional<std::string> cursor;
        while (!is_over(ids) && std::chrono::steady_clock::now() < until) {
            try {
                subscriber client(how, port, {.table = "public.t", .after = cursor}, 30s);
                if (cursor && client.answer() != "resumed") {
                    ++resyncs_;
                }
                cursor = client.cursor();
                if (!std::exchange(counted_[static_cast<std::size_t>(how)], true)) {
                    ++listening_;
                }
                while (!is_over(ids)) {
                    const auto part = client.next(2s);
                    for (const auto& event : part.events) {
                        ids.push_back(event.at("key").at("id"));
                    }
                    cursor = client.cursor();
                    if (part.resync) {
                        ++resyncs_;
                        break;
                    }
                }
            } catch (const std::exception& error) { // the connection is lost, or nothing has come for a while
                problem = error.what();
                std::this_thread::sleep_for(20ms);
            }
        }
    }
    bool is_over(const std::vector<int>& ids) const { return last_ != 0 && !ids.empty() && ids.back() >= last_; }
    void join()
    {
        if (last_ == 0) {
            last_ = -1;
        }
        for (std::thread& each : std::exchange(threads_, {})) {
            each.join();
        }
    }

    std::vector<int> got_[4];
    std::string problems_[4];
    bool counted_[4] = {};
    std::atomic<int> last_ = 0;
    std::atomic<std::size_t> listening_ = 0;
    std::atomic<std::size_t> resyncs_ = 0;
    std::vector<std::thread> threads_;
};

void execute(const postgres_cluster& on, const std::string& sql)
{
    pqxx::connection connection = on.connect();
    pqxx::nontransaction{connection}.exec(sql);
}

// Each once, however often it is tried: a try that fails may have inserted some before its connection was lost.
void insert(const postgres_cluster& on, int from, int to)
{
    pqxx::connection connection = on.connect();
    for (int id = from; id <= to; ++id) {
        pqxx::nontransaction{connection}.exec("insert into t values (" + std::to_string(id) + ") on conflict do nothing");
    }
}

void install(const postgres_cluster& on)
{
    execute(on, std::string(postgres::install_sql));
    execute(on, "set search_path = public; create table t (id int primary key); select rowcast.watch('t', notify => true)");
}

struct installed_cluster : postgres_cluster {
    explicit installed_cluster(std::vector<std::string> settings = {}) : postgres_cluster(std::move(settings)) { install(*this); }
};

std::string through(const support::tcp_proxy& wire)
{
    return "postgresql://postgres@127.0.0.1:" + std::to_string(wire.port()) + "/postgres";
}

} // namespace

TEST_CASE("PostgreSQL stops and starts: the bridge says so, recovers, and nobody misses anything")
{
    installed_cluster cluster;
    const served bridge(cluster.url());
    audience clients(bridge.port());
    insert(cluster, 1, 20);
    cluster.stop();
    bridge.says("PostgreSQL: ");
    cluster.start();
    insert(cluster, 21, 40);
    bridge.becomes_ready();
    insert(cluster, 41, 60);
    clients.has(60);
}

TEST_CASE("PostgreSQL crashes: the bridge says so, recovers, and nobody misses anything")
{
    installed_cluster cluster;
    const served bridge(cluster.url());
    audience clients(bridge.port());
    insert(cluster, 1, 20);
    SECTION("one of its processes, which takes all sessions along")
    {
        pqxx::connection connection = cluster.connect();
        const int victim = connection.backendpid();
        REQUIRE(::kill(victim, SIGKILL) == 0);
        REQUIRE(support::eventually([&] {
            try {
                insert(cluster, 21, 40);
                return true;
            } catch (const pqxx::failure&) {
                return false;
            }
        }));
    }
    SECTION("as a whole")
    {
        cluster.crash();
        bridge.says("PostgreSQL: ");
        cluster.start();
        insert(cluster, 21, 40);
    }
    insert(cluster, 41, 60);
    clients.has(60);
    bridge.becomes_ready();
}

TEST_CASE("PostgreSQL hangs: the bridge says so, goes on, and nobody misses anything")
{
    installed_cluster cluster;
    const served bridge(cluster.tcp_url());
    audience clients(bridge.port());
    insert(cluster, 1, 20);
    cluster.freeze();
    bridge.says("has not been read to its end");
    cluster.thaw();
    insert(cluster, 21, 40);
    bridge.becomes_ready();
    clients.has(40);
}

TEST_CASE("No connection is left when the bridge comes back: it says so, and waits for its turn")
{
    installed_cluster cluster{{"max_connections = 20", "superuser_reserved_connections = 3"}};
    execute(cluster, "create role plain login; select rowcast.grant_bridge('plain')");
    const served bridge("postgresql://plain@127.0.0.1:" + std::to_string(cluster.port()) + "/postgres");
    audience clients(bridge.port());
    insert(cluster, 1, 20);
    std::list<pqxx::connection> crowd;
    const auto crowd_in = [&] {
        try {
            for (;;) {
                crowd.emplace_back("postgresql://plain@127.0.0.1:" + std::to_string(cluster.port()) + "/postgres");
            }
        } catch (const pqxx::failure&) { // full
        }
    };
    // As often as it takes: the bridge may be back in its place before the crowd is.
    bridge.says("remaining connection slots are reserved", [&] {
        execute(cluster, "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'rowcast%'");
        crowd_in();
    });
    insert(cluster, 21, 40); // a superuser may
    crowd.clear();
    bridge.becomes_ready();
    insert(cluster, 41, 60);
    clients.has(60);
}

TEST_CASE("The wire to PostgreSQL falls silent: the bridge notices by itself, and nobody misses anything")
{
    installed_cluster cluster;
    support::tcp_proxy wire(cluster.port());
    const served bridge(through(wire));
    audience clients(bridge.port());
    insert(cluster, 1, 20);
    wire.silence();
    insert(cluster, 21, 40);
    bridge.says("has not been read to its end");
    wire.pass(); // for new connections; those that are there never speak again
    bridge.becomes_ready();
    insert(cluster, 41, 60);
    clients.has(60);
}

TEST_CASE("A standby takes over: the bridge waits for one that accepts writes, and its clients are told to read again")
{
    installed_cluster primary;
    const auto standby = postgres_cluster::standby_of(primary);
    const served bridge("postgresql://postgres@127.0.0.1:" + std::to_string(primary.port()) + ",127.0.0.1:" +
                        std::to_string(standby->port()) + "/postgres");
    std::vector<subscriber> clients;
    for (const way how : every_way) {
        clients.emplace_back(how, bridge.port(), subscriber::wish{});
    }
    insert(primary, 1, 5);
    for (subscriber& each : clients) {
        CHECK(support::ids_until(each, 5) == std::vector<int>{1, 2, 3, 4, 5});
    }
    REQUIRE(support::eventually([&] {
        pqxx::connection connection = standby->connect();
        return pqxx::nontransaction{connection}.exec("select from t").size() == 5;
    }));
    primary.stop();
    bridge.says("is a standby");
    standby->promote();
    bridge.becomes_ready();
    for (const way how : every_way) {
        INFO(name_of(how));
        const auto part = clients[static_cast<std::size_t>(how)].next();
        CHECK(part.resync == (how == way::polling ? "cursor_foreign" : "fail_over"));
    }
    subscriber again(way::websocket, bridge.port(), {});
    insert(*standby, 6, 6);
    CHECK(support::ids_until(again, 6) == std::vector<int>{6});
}

TEST_CASE("The bridge is killed and started again: its clients come back and miss nothing")
{
    installed_cluster cluster;
    served bridge(cluster.url());
    audience clients(bridge.port());
    insert(cluster, 1, 20);
    bridge.kill();
    insert(cluster, 21, 40);
    bridge.start();
    insert(cluster, 41, 60);
    clients.has(60);
    // The killed one's row goes with the report of the next.
    CHECK(support::eventually([&] {
        pqxx::connection connection = cluster.connect();
        return pqxx::nontransaction{connection}.exec("select from rowcast.bridges").size() == 1;
    }));
}

TEST_CASE("The bridge is stopped for a while and goes on: its clients miss nothing")
{
    installed_cluster cluster;
    served bridge(cluster.url());
    audience clients(bridge.port());
    insert(cluster, 1, 20);
    bridge.freeze();
    insert(cluster, 21, 40);
    bridge.thaw();
    insert(cluster, 41, 60);
    clients.has(60);
}

} // namespace rowcast
