#include "support/eventually.hpp"
#include "torture/account.hpp"
#include "torture/bridge_process.hpp"
#include "torture/client.hpp"
#include "torture/faults.hpp"
#include "torture/world.hpp"
#include "torture/writers.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <random>
#include <thread>

namespace rowcast::torture {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

struct options {
    unsigned seconds = 120;
    double hours = 0;
    std::uint64_t seed = 0;
    unsigned huge = 100'000;
    std::vector<std::string> only; // these faults
    std::string mutation;
    bool keep = false;
};

// How long everything may take to recover when nobody disturbs it any more.
constexpr auto recovery = 180s;

std::filesystem::path make_folder()
{
    std::string path = std::filesystem::temp_directory_path() / "rowcast-torture.XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) {
        throw std::system_error{errno, std::generic_category(), "mkdtemp"};
    }
    return path;
}

// A client in its thread.
struct running_client {
    running_client(const world& in, account& to, std::vector<std::uint16_t> ports, dice chance, client_options options)
        : one(in, to, std::move(ports), std::move(chance), std::move(options))
        , thread([this] { one.run(); })
    {
    }

    ~running_client() { thread.join(); }

    client one;
    std::thread thread;
};

std::vector<client_options> everybody(const options& given)
{
    using enum transport;
    constexpr auto never = 0ms;
    constexpr auto long_ago = 65'000ms;
    constexpr int little = 16 * 1024;
    std::vector<client_options> all = {
        {"walter (websocket)", {"customer", 1}, 0, {websocket}, false, false, little, never},
        {"wanda (websocket, admin)", {"admin", 0}, 1, {websocket}, true, true, little, never},
        {"sam (sse)", {"customer", 2}, 2, {sse}, true, false, 0, never},
        {"sue (sse, auditor)", {"auditor", 3}, 1, {sse}, true, true, little, long_ago},
        {"paul (polling)", {"customer", 1}, 1, {polling}, false, true, 0, long_ago},
        {"pia (polling, admin)", {"admin", 0}, 2, {polling}, true, false, little, never},
        {"tom (any)", {"auditor", 1}, 2, {websocket, sse, polling}, false, true, 0, never},
        {"tess (any, admin)", {"admin", 0}, 0, {websocket, sse, polling}, false, true, little, never},
        {"una (any)", {"customer", 3}, 0, {websocket, sse, polling}, true, true, little, long_ago},
    };
    for (client_options& each : all) {
        each.token = token_for(each.name, each.who.role, each.who.owner);
    }
    all.back().mutation = given.mutation;
    return all;
}

class run {
public:
    explicit run(const options& given)
        : options_(given)
        , folder_(make_folder())
        , length_(given.hours > 0 ? std::chrono::seconds(static_cast<long>(given.hours * 3600))
                                  : std::chrono::seconds(given.seconds))
    {
        for (int number = 0; number < 2; ++number) {
            bridge_options with;
            with.number = number;
            with.descriptors = number == 0 ? 1024 : 128;
            with.send_buffer = number == 0 ? "1MB" : "64KB";
            bridges_.push_back(std::make_unique<bridge_process>(folder_, world_.primary().port(), with));
            bridges_.back()->start();
        }
        wait_until_ready();
    }

    // Whether everything held.
    bool go()
    {
        std::vector<std::uint16_t> ports;
        for (const auto& each : bridges_) {
            ports.push_back(each->port());
        }
        std::uint64_t number = 300;
        for (client_options& each : everybody(options_)) {
            clients_.push_back(std::make_unique<running_client>(world_, account_, ports, dice(options_.seed, number++),
                                                                std::move(each)));
        }
        {
            const writers writing(world_, account_, options_.seed, options_.huge);
            attempt("the faults", [this] { trouble(); });
            world_.writing = false;
            faults(world_, bridges_, account_, dice(options_.seed, 1)).heal();
        }
        attempt("the recovery", [this] { finish(); });
        attempt("the comparison", [this] { compare(); });
        world_.over = true;
        return report();
    }

    // Before the clients, who are waited for.
    ~run() { world_.over = true; }

private:
    // Unless something has failed already.
    void attempt(const std::string& what, const std::function<void()>& act)
    {
        if (!account_.failed()) {
            try {
                act();
            } catch (const std::exception& error) {
                account_.fail(what + ": " + error.what());
            }
        }
    }

    void trouble()
    {
        faults all(world_, bridges_, account_, dice(options_.seed, 1));
        dice random(options_.seed, 2);
        const auto end = started_ + length_;
        bool failed_over = !options_.only.empty();
        while (clock::now() < end && !account_.failed()) {
            quiet(random.ms(200, 4000));
            if (!options_.only.empty()) {
                if (options_.only.front() != "none") {
                    all.strike(options_.only[random.below(static_cast<unsigned>(options_.only.size()))]);
                }
            } else if (!failed_over && clock::now() > started_ + length_ / 2) {
                all.strike("failed over"); // in every run
                failed_over = true;
            } else {
                all.strike();
            }
            check_bridges();
        }
    }

    void quiet(std::chrono::milliseconds time)
    {
        const auto until = clock::now() + time;
        while (clock::now() < until && !account_.failed()) {
            std::this_thread::sleep_for(50ms);
            tell();
        }
    }

    // No fault leaves a bridge dead.
    void check_bridges()
    {
        for (const auto& each : bridges_) {
            if (!each->running()) {
                account_.fail(each->name() + " ended by itself; see " + each->log().string());
            }
        }
    }

    void wait_until_ready()
    {
        for (const auto& each : bridges_) {
            if (!support::eventually([&] { return each->ready(); }, recovery)) {
                throw std::runtime_error(each->name() + " does not become ready; see " + each->log().string());
            }
        }
    }

    // Nobody disturbs any more: everybody must come to hold everything.
    void finish()
    {
        {
            pqxx::connection connection = world_.connect();
            for (const auto& row : pqxx::nontransaction{connection}.exec("select gid from pg_prepared_xacts")) {
                pqxx::nontransaction{connection}.exec("rollback prepared '" + std::string(row[0].c_str()) + "'");
            }
        }
        world_.misbehaving = false;
        wait_until_ready();
        pqxx::connection connection = world_.connect();
        const auto until = clock::now() + recovery;
        const auto all_done = [this] {
            return std::all_of(clients_.begin(), clients_.end(), [](const auto& each) { return each->one.done(); });
        };
        for (long n = 1; !all_done() && clock::now() < until && !account_.failed(); ++n) {
            // Again and again: who begins anew after one of them waits for the next. Numbered anew, for it is this writer's own.
            pqxx::nontransaction{connection}.exec("select rowcast.publish('end', 'end', '{\"n\": " + std::to_string(n) +
                                                  "}')");
            quiet(1000ms);
            check_bridges();
        }
        for (const auto& each : clients_) {
            if (!each->one.done() && !account_.failed()) {
                account_.fail(each->one.name() + " did not catch up in time");
            }
        }
        wait_until_ready();
        for (const auto& each : bridges_) {
            each->tell_metrics(account_);
        }
    }

    void compare()
    {
        for (const auto& each : clients_) {
            const auto found = each->one.differences();
            if (!found.empty()) {
                std::string text =
                    each->one.name() + " differs from PostgreSQL in " + std::to_string(found.size()) + " rows:\n";
                for (std::size_t i = 0; i < std::min<std::size_t>(found.size(), 10); ++i) {
                    text += "    " + found[i] + "\n";
                }
                account_.fail(text);
            }
        }
    }

    void tell()
    {
        if (clock::now() < told_ + 10s) {
            return;
        }
        told_ = clock::now();
        std::cout << std::chrono::duration_cast<std::chrono::seconds>(clock::now() - started_).count()
                  << " s: committed " << account_.counted("committed") << "; received "
                  << account_.all("received over ") << "; " << account_.all("answers: ") << "; resyncs "
                  << account_.counted("resyncs") << "; faults: " << account_.all("fault: ") << std::endl;
    }

    bool report()
    {
        std::cout << "\nseed " << options_.seed << ", " << length_.count() << " s\n" << account_.all("") << "\n";
        const auto failures = account_.failures();
        for (const std::string& each : failures) {
            std::cout << "FAILED: " << each << "\n";
        }
        if (!failures.empty()) {
            std::cout << "FAILED with --seed " << options_.seed << "; the bridges' logs are in " << folder_.string()
                      << std::endl;
            if (options_.keep) {
                std::cout << "PostgreSQL: " << world_.url() << "; ends with Enter" << std::endl;
                std::cin.get();
            }
            return false;
        }
        std::cout << "Nothing lost, nothing doubled, nothing out of order." << std::endl;
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
        return true;
    }

    options options_;
    std::filesystem::path folder_;
    std::chrono::seconds length_;
    account account_;
    world world_;
    bridges bridges_;
    clock::time_point started_ = clock::now();
    clock::time_point told_ = started_;
    std::vector<std::unique_ptr<running_client>> clients_;
};

int main(int count, char** words)
{
    options given;
    if (const char* seconds = std::getenv("ROWCAST_TEST_SECONDS")) {
        given.seconds = static_cast<unsigned>(std::stoul(seconds));
    }
    CLI::App program{"Writers, faults and clients against real bridges and a real PostgreSQL: nothing may be lost, "
                     "doubled or out of order."};
    program.add_option("--seconds", given.seconds, "How long; ROWCAST_TEST_SECONDS is the default's default")
        ->capture_default_str();
    program.add_option("--hours", given.hours, "How long, for a long run");
    program.add_option("--seed", given.seed, "Of the chances; 0: another one each time");
    program.add_option("--huge", given.huge, "Rows of the largest transaction")
        ->capture_default_str()
        ->check(CLI::Range(1000U, 10'000'000U));
    program.add_option("--only", given.only, "Only these faults (as the summary names them), or 'none'");
    program
        .add_option("--mutation", given.mutation,
                    "One client 'loses' or 'doubles' an event now and then: the test must fail")
        ->check(CLI::IsMember({"loses", "doubles"}));
    program.add_flag("--keep", given.keep, "Keep PostgreSQL running after a failure, until Enter");
    CLI11_PARSE(program, count, words);
    if (given.seed == 0) {
        given.seed = std::random_device{}();
    }
    std::signal(SIGPIPE, SIG_IGN);
    std::cout << "seed " << given.seed << std::endl;
    return run(given).go() ? 0 : 1;
}

} // namespace
} // namespace rowcast::torture

int main(int count, char** words)
{
    try {
        return rowcast::torture::main(count, words);
    } catch (const std::exception& error) {
        std::cerr << "torture: " << error.what() << '\n';
        return 1;
    }
}
