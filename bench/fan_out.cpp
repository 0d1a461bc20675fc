// Fan-out: one change to many WebSocket subscribers, and what the server's process takes of the processor for it. In turns and
// with the same bytes: rowcast; the floor, a loop that does nothing but write; nginx with nchan; a bridge made by hand on Node.
//
//     bench/fan_out [--subscribers N...] [--deliveries N] [--turns N]

#include <CLI/CLI.hpp>
#include <pqxx/pqxx>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <list>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "audience.hpp"
#include "open_files.hpp"
#include "results.hpp"
#include "support/bridge_process.hpp"
#include "support/eventually.hpp"
#include "support/free_port.hpp"
#include "support/loopback.hpp"
#include "support/paths.hpp"
#include "support/postgres_cluster.hpp"
#include "support/process.hpp"
#include "support/websocket_frame.hpp"

namespace {

using namespace rowcast;
using namespace std::chrono_literals;
using bench::audience;
using bench::median;
using seconds = std::chrono::duration<double>;

// Not counted: by then a bridge has noticed where its log is busy.
constexpr auto warm_up = 1s;

struct contender {
    std::string name;
    support::process* server;
    audience::door door;
    std::function<void()> publish; // one message
};

struct figures {
    double deliveries_a_second;
    double cpu_of_a_million; // seconds
    double bytes; // of a delivery
};

// `ahead` messages are on their way at most: the next one is published when all have had the one so many before it.
figures measure(const contender& who, audience& listeners, std::size_t subscribers, std::size_t messages, std::size_t ahead)
{
    const auto publish = [&](const std::function<bool(std::size_t)>& more_than) {
        const std::uint64_t before = listeners.deliveries();
        std::size_t many = 0;
        while (more_than(many)) {
            who.publish();
            if (++many >= ahead) {
                listeners.await(before + (many + 1 - ahead) * subscribers, 60s);
            }
        }
        listeners.await(before + many * subscribers, 60s);
    };
    const auto warm = std::chrono::steady_clock::now() + warm_up;
    publish([&](std::size_t) { return std::chrono::steady_clock::now() < warm; });
    const std::uint64_t bytes = listeners.bytes();
    const seconds cpu = who.server->cpu();
    const auto began = std::chrono::steady_clock::now();
    publish([&](std::size_t many) { return many < messages; });
    const seconds took = std::chrono::steady_clock::now() - began;
    const double deliveries = static_cast<double>(messages * subscribers);
    return {deliveries / took.count(), (who.server->cpu() - cpu).count() / deliveries * 1e6,
            static_cast<double>(listeners.bytes() - bytes) / deliveries};
}

std::string text_of(std::size_t bytes)
{
    return std::string(1, audience::mark) + std::string(bytes - 1, 'x');
}

void await_port(std::uint16_t port)
{
    const bool listens = support::eventually([&] {
        try {
            ::close(support::connect_to(port));
            return true;
        } catch (const std::system_error&) {
            return false;
        }
    });
    if (!listens) {
        throw std::runtime_error("nobody listens on port " + std::to_string(port));
    }
}

contender floor_of(std::list<support::process>& running, std::size_t bytes)
{
    const std::uint16_t port = support::free_port();
    const auto program = std::filesystem::canonical("/proc/self/exe").parent_path() / "fan_out_floor";
    support::process& server = running.emplace_back(std::vector<std::string>{program, std::to_string(port)});
    await_port(port);
    const int publisher = support::connect_to(port);
    return {"the floor", &server, {port, "/", "", ""}, [publisher, frame = support::server_frame(text_of(bytes))] { support::send_all(publisher, frame); }};
}

// Statements, each a transaction, by as many connections as may have one under way: one alone would wait for the disk each time, and no message
// would be in flight beside another.
class writers {
public:
    writers(const support::postgres_cluster& cluster, std::size_t many)
    {
        for (std::size_t i = 0; i < many; ++i) {
            threads_.emplace_back([this, &cluster](const std::stop_token& end) {
                pqxx::connection connection = cluster.connect();
                std::unique_lock lock(mutex_);
                while (come_.wait(lock, end, [&] { return !waiting_.empty(); })) {
                    const std::string statement = std::move(waiting_.front());
                    waiting_.pop_front();
                    lock.unlock();
                    pqxx::nontransaction(connection).exec(statement);
                    lock.lock();
                }
            });
        }
    }

    void execute(std::string statement)
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(statement));
        come_.notify_one();
    }

private:
    std::mutex mutex_;
    std::condition_variable_any come_;
    std::deque<std::string> waiting_;
    std::vector<std::jthread> threads_; // below what they use
};

// A folder for nginx: a configuration, and a file with its number, which nginx removes at its end, whatever it was.
struct scratch {
    const std::filesystem::path folder = std::filesystem::temp_directory_path() / ("rowcast-fan-out-" + std::to_string(::getpid()));
    scratch() { std::filesystem::create_directory(folder); }
    ~scratch() { std::filesystem::remove_all(folder); }
    scratch(const scratch&) = delete;
};

contender nchan_of(std::list<support::process>& running, const scratch& place, const std::string& nginx, const std::string& module, std::size_t bytes)
{
    const std::uint16_t port = support::free_port();
    const auto file = place.folder / "nginx.conf";
    std::ofstream(file) << "load_module " << module << ";\ndaemon off; master_process off; pid " << (place.folder / "pid").string() << "; error_log stderr crit;\n"
                        << "events { worker_connections 19000; }\n"
                        << "http {\n  access_log off; keepalive_timeout 0;\n"
                        << "  server {\n    listen 127.0.0.1:" << port << " backlog=4096;\n"
                        << "    location /pub { nchan_publisher http; nchan_channel_id all; nchan_message_buffer_length 100; }\n"
                        << "    location /sub { nchan_subscriber websocket; nchan_channel_id all; nchan_subscriber_first_message newest; }\n"
                        << "  }\n}\n";
    support::process& server = running.emplace_back(std::vector<std::string>{nginx, "-c", file});
    await_port(port);
    const std::string request = "POST /pub HTTP/1.0\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n" + text_of(bytes);
    return {"nginx, nchan", &server, {port, "/sub", "", ""}, [port, request] {
                const int publisher = support::connect_to(port);
                support::send_all(publisher, request);
                for (char ignored; ::recv(publisher, &ignored, 1, 0) > 0;) {
                }
                ::close(publisher);
            }};
}

contender node_of(std::list<support::process>& running, const std::string& url, writers& database, std::size_t bytes)
{
    const std::uint16_t port = support::free_port();
    const auto script = support::source_dir() / "bench" / "node_bridge" / "bridge.mjs";
    support::process& server = running.emplace_back(std::vector<std::string>{"node", script}, std::vector<std::string>{"DATABASE_URL=" + url, "PORT=" + std::to_string(port)});
    server.line_with("ready");
    return {"Node, pg and ws", &server, {port, "/", "", ""}, [&database, text = text_of(bytes)] {
                database.execute("insert into told(v) values ('" + text + "')");
            }};
}

} // namespace

int main(int argc, char** argv)
{
    std::vector<std::size_t> subscribers = {1, 1'000, 10'000};
    std::size_t deliveries = 1'000'000;
    std::size_t turns = 3;
    std::vector<std::size_t> in_flight = {1, 16};
    std::string nginx = "/usr/sbin/nginx";
    std::string module = "/usr/lib/nginx/modules/ngx_nchan_module.so";
    CLI::App app{"One change to many WebSocket subscribers"};
    app.add_option("--subscribers", subscribers, "how many")->check(CLI::Range(1, 19'000))->capture_default_str();
    app.add_option("--deliveries", deliveries, "a turn, about")->check(CLI::Range(1'000, 100'000'000))->capture_default_str();
    app.add_option("--turns", turns, "of each; the middle one counts")->check(CLI::Range(1, 1'000))->capture_default_str();
    app.add_option("--in-flight", in_flight, "messages on their way at most")->check(CLI::Range(1, 1'000))->capture_default_str();
    app.add_option("--nginx", nginx, "where it is")->capture_default_str();
    app.add_option("--nchan", module, "its module")->capture_default_str();
    bench::results results(app, "fan_out");
    CLI11_PARSE(app, argc, argv);
    bench::allow_connections(*std::max_element(subscribers.begin(), subscribers.end()));

    support::postgres_cluster cluster({"fsync = on"});
    support::run({support::rowcast_binary(), "install", "--database", cluster.url()});
    pqxx::connection setup = cluster.connect();
    pqxx::nontransaction(setup).exec(
        "create table t (id bigint generated always as identity primary key, v text); select rowcast.watch('public.t', notify => true);"
        "create table told (v text);"
        "create function tell() returns trigger language plpgsql as $$ begin perform pg_notify('fan_out', new.v); return null; end $$;"
        "create trigger tell after insert on told for each row execute function tell()");

    writers database(cluster, *std::max_element(in_flight.begin(), in_flight.end()));

    support::bridge_process bridge(cluster.url(), "tables: {public.t: [{roles: [anonymous]}]}\n");
    bridge.start();
    std::vector<contender> all;
    all.push_back({"rowcast", &bridge.running(), {bridge.port(), "/v1/ws", R"({"type":"subscribe","id":"s","table":"public.t"})", R"("type":"subscribed")"}, [&] {
                       database.execute("insert into t(v) values ('" + text_of(20) + "')");
                   }});
    audience one(all.front().door, 1);
    const auto bytes = static_cast<std::size_t>(measure(all.front(), one, 1, 100, 1).bytes) - support::server_frame("").size() - 2;

    const scratch place;
    std::list<support::process> running;
    all.push_back(floor_of(running, bytes));
    if (std::filesystem::exists(nginx) && std::filesystem::exists(module)) {
        all.push_back(nchan_of(running, place, nginx, module, bytes));
    } else {
        std::printf("without nginx: apt-get install nginx-core libnginx-mod-nchan, or --nginx and --nchan\n");
    }
    all.push_back(node_of(running, cluster.tcp_url(), database, bytes));

    std::printf("messages of %zu bytes; CPU: seconds of the server's process for a million deliveries; medians of %zu turns\n", bytes, turns);
    for (const std::size_t many : subscribers) {
        std::map<std::string, std::vector<std::array<std::vector<double>, 2>>> found;
        for (std::size_t turn = 0; turn < turns; ++turn) {
            for (const contender& each : all) {
                found[each.name].resize(in_flight.size());
                audience listeners(each.door, many);
                for (std::size_t i = 0; i < in_flight.size(); ++i) {
                    const figures seen = measure(each, listeners, many, std::clamp<std::size_t>(deliveries / many, 20, 2'000), in_flight[i]);
                    found[each.name][i][0].push_back(seen.deliveries_a_second);
                    found[each.name][i][1].push_back(seen.cpu_of_a_million);
                }
            }
        }
        std::printf("\n%6zu subscribers   ", many);
        for (const std::size_t ahead : in_flight) {
            std::printf(" %3zu in flight:  deliveries/s      CPU   of the floor", ahead);
        }
        std::printf("\n");
        for (const contender& each : all) {
            std::printf("%-20s", each.name.c_str());
            for (std::size_t i = 0; i < in_flight.size(); ++i) {
                const double cpu = median(found[each.name][i][1]);
                const double deliveries_a_second = median(found[each.name][i][0]);
                std::printf("%30.0f %8.2f %14.2f", deliveries_a_second, cpu, cpu / median(found["the floor"][i][1]));
                results.add({{"subscribers", many}, {"in_flight", in_flight[i]}, {"server", each.name}, {"bytes", bytes}, {"turns", turns},
                             {"deliveries_a_second", deliveries_a_second}, {"cpu_of_a_million", cpu}});
            }
            std::printf("\n");
            std::fflush(stdout);
        }
    }
    results.write();
    return 0;
}
