// Commit to client, on every transport: how much longer rowcast takes than the least that anybody could: a client that
// LISTENs, is notified by a trigger, and reads the row. All in the same run, in turns, on the same PostgreSQL.
//
// Transactions (one INSERT each) are due at fixed times, whatever became of those before, and what counts is the time from
// then until the client has the row: who makes others wait pays for their waiting too ("coordinated omission" would leave
// it out). So the figures hold the transaction itself, its trigger and its flush.
//
//     bench/latency [--rates PER_SECOND...] [--transactions N] [--seconds S] [--asynchronous] [--json FILE]

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <libpq-fe.h>
#include <poll.h>
#include <pqxx/pqxx>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "results.hpp"
#include "support/bridge_process.hpp"
#include "support/http_client.hpp"
#include "support/paths.hpp"
#include "support/postgres_cluster.hpp"
#include "support/process.hpp"

namespace {

using namespace rowcast;
using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;
using seconds = std::chrono::duration<double>;
namespace asio = boost::asio;
namespace beast = boost::beast;

constexpr auto patience = 30s;
// Not counted in each turn: caches fill, and the bridge notices how busy the log is.
constexpr seconds warm_up = 2s;
constexpr seconds longest_turn = 10s;
// Up to this rate all clients are measured at once, each with a table that is written at that rate, a part of the distance
// after the one before; above it they take turns by time.
constexpr double together_up_to = 10;
// Enough that a transaction which takes long does not hold up the next one.
constexpr std::size_t writers = 8;

const std::string schema = R"sql(
create table bare (n bigint primary key, note text not null);
create table websocket (like bare including all);
create table sse (like bare including all);
create table poll (like bare including all);
create function tell() returns trigger language plpgsql as
  $$ begin perform pg_notify('bare', new.n::text); return null; end $$;
create trigger tell after insert on bare for each row execute function tell();
select rowcast.watch('public.websocket', notify => true), rowcast.watch('public.sse', notify => true),
       rowcast.watch('public.poll', notify => true);
)sql";

const std::string rules = "tables: {public.websocket: [{roles: [anonymous]}], public.sse: [{roles: [anonymous]}],"
                          " public.poll: [{roles: [anonymous]}]}\n";

class client {
public:
    virtual ~client() = default;
    // What has come next: rows as JSON, whose number is `"n":`.
    virtual std::string receive() = 0;
};

// The floor: LISTEN, wait on the socket, read the row that the notification names.
class bare_client final : public client {
public:
    explicit bare_client(const std::string& url) : connection_(PQconnectdb(url.c_str()), &PQfinish)
    {
        run("listen bare");
        run("prepare read as select n, note from bare where n = $1");
    }

    std::string receive() override
    {
        for (;;) {
            PQconsumeInput(connection_.get());
            if (const std::unique_ptr<PGnotify, decltype(&PQfreemem)> heard{PQnotifies(connection_.get()), &PQfreemem}) {
                return "\"n\":" + run("execute read(" + std::string(heard->extra) + ")");
            }
            pollfd readable{PQsocket(connection_.get()), POLLIN, 0};
            if (::poll(&readable, 1, std::chrono::milliseconds(patience).count()) == 0) {
                throw std::runtime_error("the bare client is not notified");
            }
        }
    }

private:
    // The first value, if any.
    std::string run(const std::string& sql)
    {
        const std::unique_ptr<PGresult, decltype(&PQclear)> result{PQexec(connection_.get(), sql.c_str()), &PQclear};
        const auto status = PQresultStatus(result.get());
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
            throw std::runtime_error(sql + ": " + PQerrorMessage(connection_.get()));
        }
        return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
    }

    std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

class websocket_client final : public client {
public:
    explicit websocket_client(std::uint16_t port) : socket_(context_)
    {
        socket_.next_layer().connect({asio::ip::address_v4::loopback(), port});
        socket_.next_layer().set_option(asio::ip::tcp::no_delay(true));
        socket_.handshake("127.0.0.1", "/v1/ws");
        socket_.write(asio::buffer(std::string_view(R"({"type":"subscribe","id":"b","table":"public.websocket"})")));
        while (receive().find("\"subscribed\"") == std::string::npos) {
        }
    }

    std::string receive() override
    {
        message_.clear();
        socket_.read(message_);
        return beast::buffers_to_string(message_.data());
    }

private:
    asio::io_context context_;
    beast::websocket::stream<asio::ip::tcp::socket> socket_;
    beast::flat_buffer message_;
};

class sse_client final : public client {
public:
    explicit sse_client(std::uint16_t port) : stream_(port)
    {
        stream_.open_stream("/v1/sse?table=public.sse");
        receive(); // where it begins
    }

    std::string receive() override { return stream_.next_event(patience).value().data; }

private:
    support::http_client stream_;
};

class poll_client final : public client {
public:
    explicit poll_client(std::uint16_t port) : connection_(port) { ask("/v1/changes?table=public.poll"); }

    std::string receive() override { return ask("/v1/changes?table=public.poll&wait=25&after=" + cursor_); }

private:
    std::string ask(const std::string& target)
    {
        auto answer = connection_.get(target, {}, patience);
        const std::string_view member = "\"cursor\":\"";
        const auto at = answer.body.find(member);
        if (answer.status != 200 || at == std::string::npos) {
            throw std::runtime_error("the poll is answered " + std::to_string(answer.status) + " " + answer.body);
        }
        const auto begin = at + member.size();
        cursor_ = answer.body.substr(begin, answer.body.find('"', begin) - begin);
        return std::move(answer.body);
    }

    support::http_client connection_;
    std::string cursor_;
};

struct contender {
    std::string name;
    std::string table;
    std::function<std::unique_ptr<client>()> connect;
    std::vector<double> latencies = {}; // of the rate that is measured, microseconds
    std::vector<double> delays = {};    // how late transactions were begun, which is in the former
};

// The numbers of the rows in it; each may stand there twice, in the row and in the key.
template <class Take>
void each_number(std::string_view text, Take take)
{
    constexpr std::string_view member = "\"n\":";
    for (auto at = text.find(member); at != std::string_view::npos; at = text.find(member, at + 1)) {
        std::size_t number = 0;
        std::from_chars(text.data() + at + member.size(), text.data() + text.size(), number);
        take(number);
    }
}

using times = std::vector<clock_type::time_point>;

// When each row came, until all have.
times receive_all(client& from, std::size_t first, std::size_t many)
{
    times came(many);
    for (std::size_t missing = many; missing > 0;) {
        const std::string text = from.receive();
        const auto now = clock_type::now();
        each_number(text, [&](std::size_t number) {
            if (number >= first && number < first + many && came[number - first] == clock_type::time_point()) {
                came[number - first] = now;
                --missing;
            }
        });
    }
    return came;
}

class turn {
public:
    turn(const std::string& url, double rate, std::vector<contender*> who) : url_(url), rate_(rate), who_(std::move(who)) {}

    // Rows are numbered by table from `first` on. Adds what counts to the contenders.
    void run(seconds length, std::size_t first)
    {
        const auto ignored = static_cast<std::size_t>(std::ceil(warm_up.count() * rate_));
        const auto many = ignored + static_cast<std::size_t>(length.count() * rate_);
        std::vector<std::unique_ptr<client>> clients;
        for (const contender* each : who_) {
            clients.push_back(each->connect());
        }
        std::vector<std::future<times>> arrivals;
        for (const auto& each : clients) {
            arrivals.push_back(std::async(std::launch::async, [&] { return receive_all(*each, first, many); }));
        }
        begin_ = clock_type::now() + 500ms; // the writers connect meanwhile
        began_.assign(many * who_.size(), {});
        std::vector<std::future<void>> writing;
        for (std::size_t writer = 0; writer < writers; ++writer) {
            writing.push_back(std::async(std::launch::async, [this, writer, first] { write(writer, first); }));
        }
        for (auto& each : writing) {
            each.get();
        }
        for (std::size_t i = 0; i < who_.size(); ++i) {
            const times came = arrivals[i].get();
            for (std::size_t j = ignored; j < many; ++j) {
                const std::size_t slot = j * who_.size() + i;
                who_[i]->latencies.push_back(seconds(came[j] - due(slot)).count() * 1e6);
                who_[i]->delays.push_back(seconds(began_[slot] - due(slot)).count() * 1e6);
            }
        }
    }

private:
    // Of all contenders' transactions, in turns.
    clock_type::time_point due(std::size_t slot) const
    {
        return begin_ + std::chrono::duration_cast<clock_type::duration>(seconds(static_cast<double>(slot) / rate_ / static_cast<double>(who_.size())));
    }

    void write(std::size_t first_slot, std::size_t first_number)
    {
        ::prctl(PR_SET_TIMERSLACK, 1); // else the kernel wakes a sleeper 50 us late
        pqxx::connection session(url_);
        for (const contender* each : who_) {
            session.prepare(each->table, "insert into " + each->table + " values ($1, repeat('x', 100))");
        }
        for (std::size_t slot = first_slot; slot < began_.size(); slot += writers) {
            std::this_thread::sleep_until(due(slot));
            began_[slot] = clock_type::now();
            pqxx::nontransaction(session).exec_prepared(who_[slot % who_.size()]->table, first_number + slot / who_.size());
        }
    }

    std::string url_;
    double rate_;
    std::vector<contender*> who_;
    clock_type::time_point begin_;
    times began_;
};

constexpr std::array<double, 3> shown = {0.5, 0.99, 0.999};

double quantile(const std::vector<double>& sorted, double part)
{
    return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(part * static_cast<double>(sorted.size())))];
}

// Whether there are enough of them for that.
bool tells(const std::vector<double>& sorted, double part)
{
    return static_cast<double>(sorted.size()) * (1 - part) >= 1;
}

void tell(std::vector<contender>& all, double rate, bench::results& found)
{
    for (contender& each : all) {
        std::sort(each.latencies.begin(), each.latencies.end());
        std::sort(each.delays.begin(), each.delays.end());
    }
    const std::vector<double>& floor = all.front().latencies;
    std::printf("\n%.0f transactions a second, %zu for each client\n", rate, floor.size());
    std::printf("                            p50       p99     p99.9    of the bare client's          begun late, p99\n");
    for (contender& each : all) {
        std::printf("%-20s", each.name.c_str());
        for (const double part : shown) {
            tells(each.latencies, part) ? std::printf(" %6.0f us", quantile(each.latencies, part)) : std::printf("         -");
        }
        for (const double part : shown) {
            tells(each.latencies, part) ? std::printf(" %8.2f", quantile(each.latencies, part) / quantile(floor, part)) : std::printf("        -");
        }
        std::printf(" %14.0f us\n", quantile(each.delays, 0.99));
        nlohmann::json curve = nlohmann::json::array();
        for (const double part : {0., 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999}) {
            if (tells(each.latencies, part)) {
                curve.push_back({part, std::round(quantile(each.latencies, part))});
            }
        }
        found.add({{"rate", rate}, {"client", each.name}, {"transactions", each.latencies.size()}, {"microseconds", std::move(curve)},
                   {"begun_late_p99", std::round(quantile(each.delays, 0.99))}});
    }
    for (contender& each : all) {
        each.latencies.clear();
        each.delays.clear();
    }
    std::fflush(stdout);
}

} // namespace

int main(int argc, char** argv)
{
    std::vector<double> rates = {1, 100, 1'000};
    double transactions = 10'000;
    double at_most = 1'000; // enough for 99.9 % of one a second
    CLI::App app{"Commit to client on every transport, against a bare LISTEN client that then reads the row"};
    app.add_option("--rates", rates, "transactions a second")->check(CLI::Range(0.1, 20'000.0))->capture_default_str();
    app.add_option("--transactions", transactions, "of each rate, to each client")->check(CLI::Range(1, 10'000'000))->capture_default_str();
    app.add_option("--seconds", at_most, "of each rate, for each client, at most")->check(CLI::Range(1, 100'000))->capture_default_str();
    bool asynchronous = false;
    app.add_flag("--asynchronous", asynchronous, "commits do not wait for the disk (synchronous_commit = off)");
    bench::results found(app, "latency");
    CLI11_PARSE(app, argc, argv);

    support::postgres_cluster cluster({"fsync = on", std::string("synchronous_commit = ") + (asynchronous ? "off" : "on")});
    support::run({support::rowcast_binary(), "install", "--database", cluster.url()});
    {
        pqxx::connection session = cluster.connect();
        pqxx::nontransaction(session).exec(schema);
    }
    support::bridge_process bridge(cluster.url(), rules);
    bridge.start();

    std::vector<contender> all{
        {"bare LISTEN, SELECT", "bare", [&] { return std::make_unique<bare_client>(cluster.url()); }},
        {"WebSocket", "websocket", [&] { return std::make_unique<websocket_client>(bridge.port()); }},
        {"SSE", "sse", [&] { return std::make_unique<sse_client>(bridge.port()); }},
        {"long poll", "poll", [&] { return std::make_unique<poll_client>(bridge.port()); }},
    };
    std::size_t number = 1;
    const auto run = [&](double rate, std::vector<contender*> who, seconds length) {
        turn(cluster.url(), rate, std::move(who)).run(length, number);
        number += 1'000'000;
    };
    std::printf("from when a transaction is due until its row is there\n");
    for (const double rate : rates) {
        const seconds each(std::min(at_most, transactions / rate));
        if (rate <= together_up_to) {
            std::vector<contender*> everybody;
            for (contender& one : all) {
                everybody.push_back(&one);
            }
            run(rate, everybody, each);
        } else {
            const double turns = std::ceil(each / longest_turn);
            for (int i = 0; i < turns; ++i) {
                for (contender& one : all) {
                    run(rate, {&one}, each / turns);
                }
            }
        }
        tell(all, rate, found);
    }
    found.write();
    return 0;
}
