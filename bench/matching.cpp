// What an event costs with many subscriptions that each have a rule of their own, and what a subscription costs in memory:
// CPU time and bytes of one process, without sockets or a database. Twice: with a rule by which an index finds them
// (`owner_id = me`), and with one that is asked of each (`owner_id >= me and owner_id <= me`), where an event costs an
// evaluation for each.
//
//     bench/matching [--events N] [--most N] [--most-asked N] [--bytes N]

#include <CLI/CLI.hpp>
#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <set>
#include <vector>

#include "hub_of_many.hpp"
#include "results.hpp"

namespace {

using namespace rowcast;
using rule = bench::hub_of_many::rule;

// A session has at most so many, and its own memory is shared by them.
constexpr int subscriptions_a_session = 100;
// Where an event asks each: so many evaluations are enough for a figure.
constexpr int most_evaluations = 2'000'000;
constexpr int fewest_events = 20;

double cpu_seconds()
{
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::size_t allocated()
{
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

class benchmark {
public:
    explicit benchmark(rule how) : many_(how) {}

    // Until there are so many. Returns the bytes of each new one.
    double grow_to(int count)
    {
        owners_.reserve(static_cast<std::size_t>(count));
        const std::size_t before = allocated();
        const int first = subscriptions_;
        while (subscriptions_ < count) {
            std::vector<int> theirs;
            for (int i = 0; i < subscriptions_a_session && subscriptions_ < count; ++i) {
                theirs.push_back(subscriptions_++);
            }
            owners_.resize(static_cast<std::size_t>(subscriptions_), &many_.admit(theirs));
        }
        return static_cast<double>(allocated() - before) / std::max(1, subscriptions_ - first);
    }

    struct cost {
        double matching; // microseconds: found and worded
        double whole;    // and handed out by the one session that it concerns
        int delivered;
    };
    // Of an update that one of them sees.
    cost measure(int events)
    {
        int delivered = 0;
        double matching = 0;
        double whole = 0;
        for (int i = 0; i < events; ++i) {
            // A different owner each time, spread over all.
            const int owner = static_cast<int>(static_cast<long>(i) * 7919 % subscriptions_);
            auto batch = many_.update_of(owner);
            hub::feed& reached = *owners_[static_cast<std::size_t>(owner)];

            const double begun = cpu_seconds();
            const auto published = many_.match(std::move(batch));
            matching += cpu_seconds() - begun;
            many_.hand_out(published);
            for (auto out = reached.next({}); out; out = reached.next({})) {
                delivered += std::holds_alternative<hub::changes>(*out) ? 1 : 0;
            }
            whole += cpu_seconds() - begun;
        }
        return {matching / events * 1e6, whole / events * 1e6, delivered};
    }

private:
    bench::hub_of_many many_;
    std::vector<hub::feed*> owners_; // by number, who is subscribed for them
    int subscriptions_ = 0;
};

} // namespace

int main(int argc, char** argv)
{
    int events = 20'000;
    int most = 1'000'000;
    int most_asked = 100'000;
    double at_most = 0;
    CLI::App app{"What an event costs beside up to 1,000,000 subscriptions with rules of their own, by which they are found or not, and what memory each takes"};
    app.add_option("--events", events, "in each measurement, fewer where each asks many; the figures are of the best of five")->check(CLI::Range(100, 10'000'000))->capture_default_str();
    app.add_option("--most", most, "subscriptions in the end")->check(CLI::Range(1'000, 5'000'000))->capture_default_str();
    app.add_option("--most-asked", most_asked, "of them, where an event asks each")->check(CLI::Range(1'000, 5'000'000))->capture_default_str();
    app.add_option("--bytes", at_most, "fail where a subscription, beside a thousand others or more, takes more than that; only those that are found are measured then");
    bench::results found(app, "matching");
    CLI11_PARSE(app, argc, argv);

    for (const rule how : {rule::equality, rule::range}) {
        const bool by_index = how == rule::equality;
        benchmark all(how);
        benchmark::cost one{};
        std::printf(by_index ? "found by an index: owner_id = me\n" : "\nasked one by one: owner_id >= me and owner_id <= me\n");
        std::printf("subscriptions   bytes each   us of CPU an event: matching   times one's   with delivery   times one's   ns a further one\n");
        const int last = by_index ? most : std::min(most, most_asked);
        for (const int count : std::set{1, 1'000, std::min(by_index ? 100'000 : 10'000, last), last}) {
            const double bytes = all.grow_to(count);
            if (at_most > 0 && count > 1 && bytes > at_most) {
                std::printf("each of %d subscriptions takes %.0f bytes, not %.0f\n", count, bytes, at_most);
                return 1;
            }
            const int many = by_index ? events : std::min(events, std::max(fewest_events, most_evaluations / count));
            benchmark::cost best{1e9, 1e9, 0};
            for (int round = 0; round < 5; ++round) {
                const auto [matching, whole, delivered] = all.measure(many);
                if (delivered != many) {
                    std::printf("only %d of %d events were delivered\n", delivered, many);
                    return 1;
                }
                best = {std::min(best.matching, matching), std::min(best.whole, whole), delivered};
            }
            one = count == 1 ? best : one;
            std::printf("%13d   %10.0f   %28.2f   %11.2f   %13.2f   %11.2f   %16.2f\n", count, bytes, best.matching, best.matching / one.matching, best.whole,
                        best.whole / one.whole, (best.matching - one.matching) / std::max(1, count - 1) * 1000);
            std::fflush(stdout);
            found.add({{"rule", by_index ? "equality" : "range"}, {"subscriptions", count}, {"bytes", bytes}, {"matching", best.matching}, {"delivered", best.whole}});
        }
        if (at_most > 0) {
            return 0;
        }
    }
    found.write();
    return 0;
}
