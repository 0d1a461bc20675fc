// What an event costs with many subscriptions that each have a rule of their own (`owner_id = me`), and what a
// subscription costs in memory: CPU time and bytes of one process, without sockets or a database.
//
//     bench/matching [--events N] [--most N] [--bytes N]

#include <CLI/CLI.hpp>
#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <deque>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "hub/feed.hpp"
#include "hub/hub.hpp"
#include "policy/rules.hpp"
#include "protocol/event_text.hpp"

namespace {

using namespace rowcast;

// A session has at most so many, and its own memory is shared by them.
constexpr int subscriptions_a_session = 100;

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

std::string row_of(int id, int owner)
{
    return R"({"id":)" + std::to_string(id) + R"(,"owner_id":)" + std::to_string(owner) +
           R"(,"status":"open","total":129.50,"note":"left at the door","updated_at":"2026-11-21T10:00:00.123456+00:00"})";
}

// The hub as a shard sees it, on the same thread.
class direct_gateway final : public hub::gateway {
public:
    explicit direct_gateway(hub::hub& to) : to_(to) {}

    void attach(hub::shard_id, hub::attach_request request, std::function<void(hub::attach_reply)> reply) override
    {
        waiting_.emplace_back(std::move(request), std::move(reply));
    }
    void detach(hub::shard_id, std::vector<hub::view_id> views) override { to_.detach(views); }
    std::unique_ptr<hub::log_reading> read_log(hub::shard_id, core::cursor, std::shared_ptr<const core::cursor_codec>,
                                               std::vector<hub::view_spec>) override
    {
        throw std::logic_error("everybody is live here");
    }
    std::unique_ptr<hub::row_reading> read_rows(hub::shard_id, hub::row_request) override { throw std::logic_error("nobody asks for rows here"); }

    bool idle() const { return waiting_.empty(); }

    void answer()
    {
        for (; !waiting_.empty(); waiting_.pop_front()) {
            auto& [request, reply] = waiting_.front();
            reply(to_.attach(request, true).value());
        }
    }

private:
    hub::hub& to_;
    std::deque<std::pair<hub::attach_request, std::function<void(hub::attach_reply)>>> waiting_;
};

class benchmark {
public:
    benchmark()
        : hub_(protocol::event_text, {.bytes = 1024 * 1024, .batches = 16}), gateway_(hub_), shard_(0, gateway_, protocol::event_text)
    {
        orders_ = std::make_shared<const policy::table>(policy::table{"public.orders",
                                                                      {{"id", "bigint", policy::type_family::bigint},
                                                                       {"owner_id", "bigint", policy::type_family::bigint},
                                                                       {"status", "text", policy::type_family::text},
                                                                       {"total", "numeric", policy::type_family::numeric},
                                                                       {"note", "text", policy::type_family::text},
                                                                       {"updated_at", "timestamp with time zone", policy::type_family::timestamptz}},
                                                                      {"id"}});
        core::object owner;
        owner.emplace_back("owner_id", core::value{std::string("$claims.sub")});
        policy::rule own;
        own.where = policy::predicate::parse({std::move(owner)}, true).value();
        rules_.tables["public.orders"] = {own};
        hub_.start(std::make_shared<const core::cursor_codec>("a log", "a key of sixteen bytes"), at_);
    }
    ~benchmark() { feeds_.clear(); }

    // Until there are so many. Returns the bytes of each new one.
    double grow_to(int count)
    {
        owners_.reserve(static_cast<std::size_t>(count));
        const std::size_t before = allocated();
        const int first = subscriptions_;
        while (subscriptions_ < count) {
            auto& feed = *feeds_.emplace_back(std::make_unique<hub::feed>(shard_, hub::feed_limits{}, [] {}));
            for (int i = 0; i < subscriptions_a_session && subscriptions_ < count; ++i) {
                owners_.push_back(&feed);
                subscribe(feed, "s" + std::to_string(i), subscriptions_++);
            }
            do {
                gateway_.answer();
                while (feed.next({})) {
                }
            } while (!gateway_.idle());
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
            auto batch = std::make_shared<core::batch>();
            core::change change;
            change.op = change.cause = core::operation::update;
            change.table = "public.orders";
            change.at = "2026-11-21T10:00:00.123456Z";
            change.xid = at_.xmax;
            change.before = core::row::parse(row_of(i, owner)).value();
            change.after = core::row::parse(row_of(i + 1, owner)).value();
            batch->changes.push_back(std::move(change));
            batch->before = at_;
            at_ = batch->after = core::snapshot{at_.xmax + 1, at_.xmax + 1, {}};
            hub::feed& reached = *owners_[static_cast<std::size_t>(owner)];

            const double begun = cpu_seconds();
            const auto published = hub_.publish(std::move(batch));
            matching += cpu_seconds() - begun;
            shard_.publish(published);
            for (auto out = reached.next({}); out; out = reached.next({})) {
                delivered += std::holds_alternative<hub::changes>(*out) ? 1 : 0;
            }
            whole += cpu_seconds() - begun;
        }
        return {matching / events * 1e6, whole / events * 1e6, delivered};
    }

private:
    void subscribe(hub::feed& on, std::string id, int owner)
    {
        core::object claims;
        claims.emplace_back("sub", core::value{std::to_string(owner)});
        const policy::identity who{std::to_string(owner), {"customer"}, {std::move(claims)}, {}};
        auto sees = policy::authorize(rules_, orders_, who, {});
        hub::feed::request wanted{std::move(id), {std::make_shared<const policy::visibility>(std::move(sees.value()))}, {}};
        if (!on.subscribe(std::move(wanted), std::nullopt)) {
            throw std::runtime_error("a subscription was refused");
        }
    }

    core::snapshot at_{100, 100, {}};
    std::shared_ptr<const policy::table> orders_;
    policy::rules rules_;
    hub::hub hub_;
    direct_gateway gateway_;
    hub::shard shard_;
    std::vector<std::unique_ptr<hub::feed>> feeds_;
    std::vector<hub::feed*> owners_; // by number, who is subscribed for them
    int subscriptions_ = 0;
};

} // namespace

int main(int argc, char** argv)
{
    int events = 20'000;
    int most = 1'000'000;
    double at_most = 0;
    CLI::App app{"What an event costs beside 1, 100,000 and 1,000,000 subscriptions with rules of their own, and what memory each takes"};
    app.add_option("--events", events, "in each measurement; the figures are of the best of five")->check(CLI::Range(100, 10'000'000))->capture_default_str();
    app.add_option("--most", most, "subscriptions in the end")->check(CLI::Range(1'000, 5'000'000))->capture_default_str();
    app.add_option("--bytes", at_most, "fail where a subscription, beside a thousand others or more, takes more than that");
    CLI11_PARSE(app, argc, argv);

    benchmark all;
    benchmark::cost one{};
    std::printf("subscriptions   bytes each   us of CPU an event: matching   times one's   with delivery   times one's\n");
    for (const int count : std::set{1, 1'000, std::min(100'000, most), most}) {
        const double bytes = all.grow_to(count);
        if (at_most > 0 && count > 1 && bytes > at_most) {
            std::printf("each of %d subscriptions takes %.0f bytes, not %.0f\n", count, bytes, at_most);
            return 1;
        }
        benchmark::cost best{1e9, 1e9, 0};
        for (int round = 0; round < 5; ++round) {
            const auto [matching, whole, delivered] = all.measure(events);
            if (delivered != events) {
                std::printf("only %d of %d events were delivered\n", delivered, events);
                return 1;
            }
            best = {std::min(best.matching, matching), std::min(best.whole, whole), delivered};
        }
        one = count == 1 ? best : one;
        std::printf("%13d   %10.0f   %28.2f   %11.2f   %13.2f   %11.2f\n", count, bytes, best.matching, best.matching / one.matching, best.whole,
                    best.whole / one.whole);
        std::fflush(stdout);
    }
    return 0;
}
