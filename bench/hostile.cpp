// What hostile clients cost honest ones: malformed requests and frames, floods, slow readers and writers, bad tokens. In turns
// they are let loose on the bridge and, as the reference, on a bare server that only takes what comes: they need the processor
// themselves, and that is not the bridge's doing. Honest clients live through all of it and must get every change, once and in
// order; afterwards nothing may be left of the others.
//
//     bench/hostile [--minutes N] [--turn SECONDS] [--honest N] [--rate PER_SECOND] [--attackers N] [--attacks PER_SECOND]
//                   [--connects PER_SECOND]

#include <CLI/CLI.hpp>
#include <pqxx/pqxx>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "attacker.hpp"
#include "bare_server.hpp"
#include "support/bridge_process.hpp"
#include "support/crowd.hpp"
#include "support/paths.hpp"
#include "support/postgres_cluster.hpp"
#include "support/process.hpp"

namespace {

using namespace rowcast;
using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;
using support::crowd;

struct wishes {
    double minutes = 10;
    int turn = 20;
    std::size_t honest = 50;
    int rate = 50;
    int attackers = 4;
    int attacks = 50;
    int connects = 50;
};

// A transaction each, at a steady pace, from row 1 on.
class writer {
public:
    writer(const std::string& url, int rate, std::size_t most) : connection_(url), committing_(most + 1), pause_(1.0 / rate)
    {
        thread_ = std::thread([this] { run(); });
    }
    ~writer() { stop(); }

    void stop()
    {
        stopping_ = true;
        if (thread_.joinable()) {
            thread_.join();
        }
    }

    std::size_t written() const { return written_; }
    bool is_full() const { return written_ + 1 >= committing_.size(); }
    // When the COMMIT of a row that somebody has seen was sent.
    clock_type::time_point commit_of(std::size_t row) const { return committing_[row].load(); }

private:
    void run()
    {
        auto next = clock_type::now();
        while (!stopping_ && !is_full()) {
            pqxx::work transaction(connection_);
            const auto row = transaction.exec("insert into t(v) values ('something that honest clients wait for') returning id")[0][0].as<std::size_t>();
            committing_.at(row) = clock_type::now();
            transaction.commit();
            written_ = row;
            next += std::chrono::duration_cast<clock_type::duration>(pause_);
            std::this_thread::sleep_until(next);
        }
    }

    pqxx::connection connection_;
    std::vector<std::atomic<clock_type::time_point>> committing_;
    const std::chrono::duration<double> pause_;
    std::atomic<std::size_t> written_ = 0;
    std::atomic<bool> stopping_ = false;
    std::thread thread_;
};

double part(std::vector<double>& sample, double share)
{
    if (sample.empty()) {
        return 0;
    }
    const auto at = sample.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(sample.size() - 1));
    std::nth_element(sample.begin(), at, sample.end());
    return *at;
}

[[noreturn]] void fail(const std::string& what)
{
    std::fprintf(stderr, "%s\n", what.c_str());
    std::exit(1);
}

// The honest ones: each must get each row, once and in order.
class audience {
public:
    audience(support::bridge_process& bridge, std::size_t many) : bridge_(bridge), everybody_(bridge.port())
    {
        everybody_.clients.resize(many);
        for (crowd::client& each : everybody_.clients) {
            each.wish = "\"table\":\"public.t\"";
        }
        everybody_.connect();
        if (!everybody_.run([&] { return everybody_.all([](const crowd::client& each) { return each.subscribed == 1; }); }, 60s)) {
            fail("the honest clients are not subscribed in time");
        }
        everybody_.heard = [this](crowd::client& one, std::string_view) { hear(one); };
        got_.assign(many, 0);
    }

    // Until then, or until all have everything.
    std::vector<double> listen(const writer& to, clock_type::time_point until)
    {
        writer_ = &to;
        milliseconds_.clear();
        everybody_.run([&] { return clock_type::now() >= until; }, 24h);
        check();
        return std::exchange(milliseconds_, {});
    }
    bool hear_out(const writer& to)
    {
        writer_ = &to;
        return everybody_.run([&] { return std::all_of(got_.begin(), got_.end(), [&](std::size_t row) { return row == to.written(); }); }, 60s);
    }

private:
    void hear(crowd::client& one)
    {
        const auto now = clock_type::now();
        std::size_t& last = got_[static_cast<std::size_t>(&one - everybody_.clients.data())];
        for (const std::uint64_t row : one.keys) {
            if (row != last + 1) {
                fail("after row " + std::to_string(last) + " an honest client got row " + std::to_string(row));
            }
            last = row;
            milliseconds_.push_back(std::chrono::duration<double, std::milli>(now - writer_->commit_of(row)).count());
        }
        one.keys.clear();
    }

    void check()
    {
        if (!everybody_.all([](const crowd::client& each) { return each.connected && each.subscribed == 1; })) {
            fail("an honest client was disconnected; the bridge says:\n" + bridge_.running().error_rest(100ms));
        }
    }

    support::bridge_process& bridge_;
    crowd everybody_;
    const writer* writer_ = nullptr;
    std::vector<std::size_t> got_; // the last row
    std::vector<double> milliseconds_;
};

} // namespace

int main(int argc, char** argv)
{
    wishes how;
    CLI::App app{"Honest clients beside hostile ones"};
    app.add_option("--minutes", how.minutes, "in all")->check(CLI::Range(0.1, 10'000.0))->capture_default_str();
    app.add_option("--turn", how.turn, "seconds of each turn")->check(CLI::Range(1, 600))->capture_default_str();
    app.add_option("--honest", how.honest, "clients")->check(CLI::Range(1, 5'000))->capture_default_str();
    app.add_option("--rate", how.rate, "transactions a second")->check(CLI::Range(1, 1'000))->capture_default_str();
    app.add_option("--attackers", how.attackers, "threads, each with an address of its own")->check(CLI::Range(1, 100))->capture_default_str();
    app.add_option("--attacks", how.attacks, "a second, of each attacker")->check(CLI::Range(1, 10'000))->capture_default_str();
    app.add_option("--connects", how.connects, "a second and address that the bridge allows; many, and all attacks get through")
        ->check(CLI::Range(1, 1'000'000))->capture_default_str();
    CLI11_PARSE(app, argc, argv);

    support::postgres_cluster cluster({"fsync = on"});
    support::run({support::rowcast_binary(), "install", "--database", cluster.url()});
    {
        pqxx::connection connection = cluster.connect();
        pqxx::nontransaction setup(connection);
        setup.exec("create table t (id bigint generated always as identity primary key, v text); select rowcast.watch('public.t', notify => true)");
    }
    support::bridge_process bridge(cluster.url(), "tables: {public.t: [{roles: [anonymous]}]}\n", {.limits = "connects_per_second_per_address: " + std::to_string(how.connects)});
    bridge.start();
    bench::bare_server reference;
    audience honest(bridge, how.honest);
    const auto seconds = how.minutes * 60;
    writer changes(cluster.url(), how.rate, static_cast<std::size_t>((seconds + 120) * how.rate));
    honest.listen(changes, clock_type::now() + 2s);

    const auto attack = [&](std::uint16_t port) {
        std::vector<std::unique_ptr<bench::attacker>> all;
        for (int i = 0; i < how.attackers; ++i) {
            all.push_back(std::make_unique<bench::attacker>(port, i, how.attacks));
        }
        auto waited = honest.listen(changes, clock_type::now() + std::chrono::seconds(how.turn));
        std::size_t attacks = 0;
        for (const auto& each : all) {
            attacks += each->attacks();
        }
        return std::pair(std::move(waited), attacks);
    };
    std::vector<double> elsewhere;
    std::vector<double> here;
    std::size_t attacks = 0;
    double first_memory = 0;
    double last_memory = 0;
    std::printf("%.0f minutes; honest: %zu clients, %d transactions a second; hostile: %d attackers, up to %d attacks a second each\n\n", how.minutes, how.honest,
                how.rate, how.attackers, how.attacks);
    std::printf("     attacks    attacked: p50      p99   elsewhere: p50      p99   memory\n");
    for (const auto end = clock_type::now() + std::chrono::duration<double>(seconds); clock_type::now() < end;) {
        auto [apart, their] = attack(reference.port());
        auto [beside, ours] = attack(bridge.port());
        attacks += ours;
        last_memory = static_cast<double>(bridge.memory("VmRSS")) / 1e6;
        first_memory = first_memory == 0 ? last_memory : first_memory;
        std::printf("%12zu %10.2f ms %8.2f %13.2f ms %8.2f %8.1f MB\n", ours, part(beside, 0.5), part(beside, 0.99), part(apart, 0.5), part(apart, 0.99), last_memory);
        std::fflush(stdout);
        elsewhere.insert(elsewhere.end(), apart.begin(), apart.end());
        here.insert(here.end(), beside.begin(), beside.end());
    }
    changes.stop();
    if (!honest.hear_out(changes)) {
        fail("the honest clients do not have all rows");
    }
    // Heartbeats, and times for what is slow, end what the attackers have left.
    const bool gone = support::eventually([&] { return bridge.metric("rowcast_sessions") <= static_cast<double>(how.honest); }, 300s);
    std::printf("\n%zu attacks; %zu changes to each of %zu honest clients, once and in order\n", attacks, changes.written(), how.honest);
    std::printf("latency beside attacks, of that beside attacks elsewhere: p50 %.2f, p99 %.2f\n", part(here, 0.5) / part(elsewhere, 0.5), part(here, 0.99) / part(elsewhere, 0.99));
    std::printf("memory after the first turn %.1f MB, after the last one %.1f MB\n", first_memory, last_memory);
    std::printf("sessions at the end %.0f, of %zu\n", bridge.metric("rowcast_sessions"), how.honest);
    return gone ? 0 : 1;
}
