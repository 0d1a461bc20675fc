// What clients that do not read cost the others: how fast changes reach the reading ones, without and with stuck ones
// that subscribe to everything; and how much memory the bridge takes.
//
//     bench/stuck [--readers N] [--stuck N] [--megabytes N] [--row BYTES]

#include <CLI/CLI.hpp>
#include <pqxx/pqxx>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "open_files.hpp"
#include "support/bridge_process.hpp"
#include "support/crowd.hpp"
#include "support/paths.hpp"
#include "support/postgres_cluster.hpp"
#include "support/process.hpp"

namespace {

using namespace std::chrono_literals;
using rowcast::support::crowd;

struct figures {
    double rows_a_second = 0;
    double megabytes = 0;
};

figures measure(const std::string& url, std::size_t readers, std::size_t stuck, std::size_t rows, std::size_t row_bytes)
{
    pqxx::connection connection(url);
    rowcast::support::bridge_process bridge(url, "tables: {public.t: [{roles: [anonymous]}]}\n");
    bridge.start();
    crowd everybody(bridge.port());
    everybody.clients.resize(readers + stuck);
    for (std::size_t i = 0; i < everybody.clients.size(); ++i) {
        everybody.clients[i].reads = i < readers;
        everybody.clients[i].wish = "\"table\":\"public.t\"";
        if (i < readers) {
            everybody.clients[i].wish += ",\"where\":{\"owner\":{\"eq\":" + std::to_string(i) + "}}";
        }
    }
    everybody.connect();
    if (!everybody.run([&] { return everybody.all([](const crowd::client& each) { return each.subscribed == 1; }); }, 120s)) {
        std::fprintf(stderr, "not all are subscribed in time\n");
        std::exit(1);
    }
    constexpr std::size_t rows_each = 1000;
    const auto began = std::chrono::steady_clock::now();
    std::size_t got = 0;
    for (std::size_t sent = 0; sent < rows; sent += rows_each) {
        pqxx::work writer(connection);
        writer.exec("insert into t(owner, v) select (" + std::to_string(sent) + " + j) % " + std::to_string(readers) + ", repeat(md5(j::text), " +
                    std::to_string(row_bytes / 32) + ") from generate_series(0, " + std::to_string(rows_each - 1) + ") j");
        writer.commit();
        const auto reached = [&] {
            got = 0;
            for (std::size_t i = 0; i < readers; ++i) {
                got += everybody.clients[i].keys.size();
            }
            return got >= sent + rows_each;
        };
        if (!everybody.run(reached, 120s)) {
            std::fprintf(stderr, "the readers have %zu rows of %zu in time\n", got, sent + rows_each);
            std::exit(1);
        }
    }
    const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    return {static_cast<double>(rows) / took, static_cast<double>(bridge.memory("VmHWM")) / 1e6};
}

} // namespace

int main(int argc, char** argv)
{
    std::size_t readers = 9000;
    std::size_t stuck = 1000;
    std::size_t megabytes = 1000;
    std::size_t row = 8000;
    CLI::App app{"Readers' speed without and with clients that do not read"};
    app.add_option("--readers", readers, "each with rows of its own")->check(CLI::Range(1, 19'000))->capture_default_str();
    app.add_option("--stuck", stuck, "who subscribe to everything")->check(CLI::Range(1, 19'000))->capture_default_str();
    app.add_option("--megabytes", megabytes, "of changes")->check(CLI::Range(1, 100'000))->capture_default_str();
    app.add_option("--row", row, "bytes of a row")->check(CLI::Range(32, 100'000))->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    rowcast::bench::allow_connections(readers + stuck);

    rowcast::support::postgres_cluster cluster({"fsync = on"});
    rowcast::support::run({rowcast::support::rowcast_binary(), "install", "--database", cluster.url()});
    {
        pqxx::connection connection = cluster.connect();
        pqxx::nontransaction setup(connection);
        setup.exec("create table t (id bigint generated always as identity primary key, owner int not null, v text);"
                   "select rowcast.watch('public.t', notify => true)");
    }
    const std::size_t rows = megabytes * 1'000'000 / row;
    const figures alone = measure(cluster.url(), readers, 0, rows, row);
    const figures with = measure(cluster.url(), readers, stuck, rows, row);
    std::printf("%zu rows of %zu bytes to %zu readers, each its own\n\n", rows, row, readers);
    std::printf("                     rows/s   bridge's memory, most\n");
    std::printf("none stuck      %11.0f   %18.0f MB\n", alone.rows_a_second, alone.megabytes);
    std::printf("%5zu stuck     %11.0f   %18.0f MB\n", stuck, with.rows_a_second, with.megabytes);
    std::printf("ratio           %11.2f\n", with.rows_a_second / alone.rows_a_second);
    return 0;
}
