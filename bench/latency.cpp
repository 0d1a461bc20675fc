// Commit to client: how much longer rowcast takes than the least that anybody could: a client that LISTENs, is notified
// by a trigger, and reads the row. Both in the same run, in turns, on the same PostgreSQL; the figure is the ratio.
//
//     bench/latency [--transactions N] [--warm-up N] [--rate PER_SECOND]

#include <CLI/CLI.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <libpq-fe.h>
#include <poll.h>
#include <pqxx/pqxx>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/eventually.hpp"
#include "support/free_port.hpp"
#include "support/paths.hpp"
#include "support/postgres_cluster.hpp"
#include "support/process.hpp"

namespace {

using clock_type = std::chrono::steady_clock;
using microseconds = std::chrono::duration<double, std::micro>;
namespace asio = boost::asio;
namespace beast = boost::beast;

// The floor: LISTEN, wait on the socket, read the row that the notification names.
class bare_client {
public:
    explicit bare_client(const std::string& url) : connection_(PQconnectdb(url.c_str()))
    {
        run("listen bare");
        run("prepare read as select id, value from bare where id = $1");
    }
    ~bare_client() { PQfinish(connection_); }
    bare_client(const bare_client&) = delete;

    clock_type::time_point receive()
    {
        for (;;) {
            PQconsumeInput(connection_);
            if (PGnotify* heard = PQnotifies(connection_)) {
                run("execute read(" + std::string(heard->extra) + ")");
                PQfreemem(heard);
                return clock_type::now();
            }
            pollfd readable{PQsocket(connection_), POLLIN, 0};
            ::poll(&readable, 1, -1);
        }
    }

private:
    void run(const std::string& sql)
    {
        PGresult* result = PQexec(connection_, sql.c_str());
        const auto status = PQresultStatus(result);
        PQclear(result);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
            throw std::runtime_error(sql + ": " + PQerrorMessage(connection_));
        }
    }
    PGconn* connection_;
};

class rowcast_client {
public:
    explicit rowcast_client(std::uint16_t port) : socket_(context_)
    {
        asio::ip::tcp::endpoint bridge(asio::ip::address_v4::loopback(), port);
        socket_.next_layer().connect(bridge);
        socket_.next_layer().set_option(asio::ip::tcp::no_delay(true));
        socket_.handshake("127.0.0.1", "/v1/ws");
        send(R"({"type":"subscribe","id":"b","table":"public.watched"})");
        await("\"subscribed\"");
    }
    clock_type::time_point receive()
    {
        await("\"changes\"");
        return clock_type::now();
    }

private:
    void send(const std::string& text) { socket_.write(asio::buffer(text)); }
    void await(const std::string& text)
    {
        for (;;) {
            beast::flat_buffer message;
            socket_.read(message);
            if (beast::buffers_to_string(message.data()).find(text) != std::string::npos) {
                return;
            }
        }
    }
    asio::io_context context_;
    beast::websocket::stream<asio::ip::tcp::socket> socket_;
};

struct percentiles {
    double p50, p99, p999;
    explicit percentiles(std::vector<double> sample)
    {
        std::sort(sample.begin(), sample.end());
        const auto at = [&](double part) { return sample[std::min(sample.size() - 1, static_cast<std::size_t>(part * static_cast<double>(sample.size())))]; };
        p50 = at(0.5);
        p99 = at(0.99);
        p999 = at(0.999);
    }
};

// One transaction; returns from the moment when COMMIT is sent until the client has it.
template <class Client>
double measure(pqxx::connection& writer, const std::string& table, int i, Client& client)
{
    pqxx::work transaction(writer);
    transaction.exec0("update " + table + " set value = value + 1 where id = " + std::to_string(1 + i % 100));
    const auto sent = clock_type::now();
    transaction.commit();
    return microseconds(client.receive() - sent).count();
}

} // namespace

int main(int argc, char** argv)
{
    int transactions = 4000;
    int warm_up = 500;
    double rate = 200;
    CLI::App app{"Commit to client, against a bare LISTEN client that then reads the row"};
    app.add_option("--transactions", transactions, "of each kind")->check(CLI::Range(10, 1'000'000))->capture_default_str();
    app.add_option("--warm-up", warm_up, "not counted")->check(CLI::Range(0, 100'000))->capture_default_str();
    app.add_option("--rate", rate, "transactions a second")->check(CLI::Range(0.1, 100'000.0))->capture_default_str();
    CLI11_PARSE(app, argc, argv);

    using namespace rowcast::support;
    postgres_cluster cluster({"fsync = on"});
    pqxx::connection writer = cluster.connect();
    run({rowcast_binary(), "install", "--database", cluster.url()});
    {
        pqxx::nontransaction setup(writer);
        setup.exec("create table watched(id int primary key, value int not null);"
                   "create table bare(id int primary key, value int not null);"
                   "insert into watched select i, 0 from generate_series(1, 100) i; insert into bare select * from watched;"
                   "create function ring_bare() returns trigger language plpgsql as"
                   " $$ begin perform pg_notify('bare', new.id::text); return null; end $$;"
                   "create trigger ring after update on bare for each row execute function ring_bare();"
                   "select rowcast.watch('public.watched', notify => true);");
    }
    const std::filesystem::path file = std::filesystem::temp_directory_path() / ("rowcast-latency-" + std::to_string(::getpid()) + ".yaml");
    const std::uint16_t port = free_port();
    std::ofstream(file) << "database: {url: \"" << cluster.url() << "\"}\n"
                        << "server: {listen: \"127.0.0.1:" << port << "\", admin: \"127.0.0.1:" << free_port() << "\"}\n"
                        << "auth: {anonymous: true}\ntables: {public.watched: [{roles: [anonymous]}]}\n";
    process bridge({rowcast_binary(), "serve", "--config", file});
    if (!eventually([&] { return std::system(("curl -fso /dev/null http://127.0.0.1:" + std::to_string(port) + "/readyz").c_str()) == 0; })) {
        std::fprintf(stderr, "the bridge does not become ready:\n%s\n", bridge.error_rest(std::chrono::milliseconds(100)).c_str());
        return 1;
    }

    bare_client bare(cluster.url());
    rowcast_client live(port);
    std::vector<double> floor;
    std::vector<double> ours;
    const auto pause = std::chrono::duration<double>(1 / rate);
    for (int i = -warm_up; i < transactions; ++i) {
        const double one = measure(writer, "bare", std::abs(i), bare);
        std::this_thread::sleep_for(pause / 2);
        const double other = measure(writer, "watched", std::abs(i), live);
        std::this_thread::sleep_for(pause / 2);
        if (i >= 0) {
            floor.push_back(one);
            ours.push_back(other);
        }
    }
    std::filesystem::remove(file);
    const percentiles least(floor);
    const percentiles here(ours);
    std::printf("%d transactions of each kind, %.0f a second, from the moment COMMIT is sent\n\n", transactions, rate);
    std::printf("                          p50        p99      p99.9\n");
    std::printf("bare LISTEN + SELECT %7.0f us %7.0f us %7.0f us\n", least.p50, least.p99, least.p999);
    std::printf("rowcast, WebSocket   %7.0f us %7.0f us %7.0f us\n", here.p50, here.p99, here.p999);
    std::printf("ratio                %7.2f    %7.2f    %7.2f\n", here.p50 / least.p50, here.p99 / least.p99, here.p999 / least.p999);
    return 0;
}
