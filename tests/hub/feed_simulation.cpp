#include <catch2/catch.hpp>

#include "hub/model.hpp"

namespace rowcast::hub {
namespace {

using model::bridge;
using model::database;

// A client as docs/protocol.md describes it: it keeps one cursor a subscription, believes a subscription to be live once a
// frame for all mentions it, and resumes each from its own cursor, on whichever bridge.
class client {
public:
    client(database& source, const core::cursor_codec& codec, std::mt19937& random, bool together)
        : source_(source), codec_(codec), random_(random), together_(together)
    {
    }

    void connect(bridge& to, feed_limits limits)
    {
        feed_.reset();
        open_.clear();
        on_ = &to;
        feed_ = std::make_unique<feed>(to.home(), limits, [] {});
        std::vector<feed::request> all;
        for (const std::string& channel : channels) {
            feed::request wanted{channel, {view_spec::channel{channel}}, {}};
            if (together_) {
                all.push_back(std::move(wanted));
            } else {
                subs_[channel].live = false;
                REQUIRE(feed_->subscribe(std::move(wanted), subs_[channel].cursor).has_value());
            }
        }
        if (together_) {
            REQUIRE(feed_->subscribe_together(std::move(all), subs_[channels.front()].cursor).has_value());
        }
    }
    void disconnect() { feed_.reset(); }
    bool connected() const { return feed_ != nullptr; }
    bool connected_to(const bridge& one) const { return feed_ && on_ == &one; }

    // Returns whether there was something.
    bool pull(const portion& most)
    {
        if (!feed_) {
            return false;
        }
        const auto out = feed_->next(most);
        if (!out) {
            if (const auto cursor = feed_->moved_on(); cursor && random_() % 2 == 0) {
                for (auto& [channel, each] : subs_) {
                    each.cursor = *cursor;
                    each.live = true;
                }
            }
            return false;
        }
        if (const auto* answer = std::get_if<subscribed>(&*out)) {
            sub& mine = subs_[answer->id];
            if (!together_) {
                REQUIRE(answer->what == (mine.cursor ? subscribed::status::resumed : subscribed::status::live));
            }
            if (!mine.cursor) {
                mine.cursor = answer->cursor;
                mine.first = codec_.open(*mine.cursor).value();
                mine.live = true;
            }
            if (together_) { // one cursor for all
                for (const std::string& channel : channels) {
                    subs_[channel].cursor = mine.cursor;
                    subs_[channel].first = subs_[channels.front()].first;
                }
            }
            return true;
        }
        take(std::get<changes>(*out));
        return true;
    }

    void verify() const
    {
        for (const auto& [channel, mine] : subs_) {
            INFO("channel " << channel);
            std::vector<core::change_id> expected;
            std::map<core::change_id, core::transaction_id> owner;
            for (const auto& [xid, each] : source_.committed()) {
                for (const auto& [id, logged_on] : each.logged) {
                    owner[id] = xid;
                    if (logged_on == channel && !mine.first->covers(xid, {each.logged.back().first, id})) {
                        expected.push_back(id);
                    }
                }
            }
            std::sort(expected.begin(), expected.end());
            std::vector<core::change_id> got = mine.received;
            std::sort(got.begin(), got.end());
            std::vector<core::change_id> lost;
            std::vector<core::change_id> doubled;
            std::set_difference(expected.begin(), expected.end(), got.begin(), got.end(), std::back_inserter(lost));
            std::set_difference(got.begin(), got.end(), expected.begin(), expected.end(), std::back_inserter(doubled));
            REQUIRE(lost == std::vector<core::change_id>{});
            REQUIRE(doubled == std::vector<core::change_id>{});

            std::set<core::transaction_id> finished;
            core::transaction_id current = 0;
            core::change_id last = 0;
            for (const core::change_id id : mine.received) {
                const core::transaction_id xid = owner.at(id);
                if (xid != current) {
                    REQUIRE(!finished.contains(xid)); // whole transactions
                    for (const core::transaction_id earlier : finished) {
                        REQUIRE(!source_.must_precede(xid, earlier)); // none before one that it can depend on
                    }
                    finished.insert(xid);
                    current = xid;
                    last = 0;
                }
                REQUIRE(id > last);
                last = id;
            }
            REQUIRE(codec_.open(*mine.cursor).has_value());
            REQUIRE(open_.empty()); // every transaction that was said to go on was said to be over
        }
    }

    bool started() const
    {
        return std::all_of(subs_.begin(), subs_.end(), [](const auto& each) { return each.second.first.has_value(); }) && !subs_.empty();
    }

    std::vector<std::string> channels;

private:
    struct sub {
        std::optional<std::string> cursor;
        std::optional<core::cursor> first;
        bool live = false;
        std::vector<core::change_id> received;
    };

    void take(const changes& frame)
    {
        std::set<std::string> mentioned;
        for (const changes::entry& entry : frame.events) {
            for (const std::string_view id : entry.subs) {
                mentioned.insert(std::string(id));
                subs_.at(std::string(id)).received.push_back(std::stoull(std::string(entry.text)));
            }
        }
        if (!frame.id.empty()) {
            REQUIRE((mentioned.empty() || mentioned == std::set<std::string>{frame.id}));
            subs_.at(frame.id).cursor = frame.cursor;
            subs_.at(frame.id).live = frame.live;
        }
        for (auto& [channel, each] : subs_) {
            if (frame.id.empty() && (each.live || together_)) {
                each.cursor = frame.cursor;
            } else if (frame.id.empty()) {
                REQUIRE(!mentioned.contains(channel)); // whoever is on the common stream has been told so
            }
        }
        REQUIRE((frame.more || frame.live || !frame.events.empty() || open_.contains(frame.id)));
        if (frame.more) {
            open_.insert(frame.id);
        } else {
            open_.erase(frame.id);
        }
    }

    database& source_;
    const core::cursor_codec& codec_;
    std::mt19937& random_;
    bool together_;
    std::unique_ptr<feed> feed_;
    const bridge* on_ = nullptr;
    std::map<std::string, sub> subs_;
    std::set<std::string> open_; // streams in the middle of a transaction
};

void simulate(unsigned seed)
{
    INFO("seed " << seed);
    std::mt19937 random(seed);
    const auto chance = [&](unsigned percent) { return random() % 100 < percent; };
    const auto upto = [&](std::size_t most) { return 1 + random() % most; };

    database source;
    const auto codec = std::make_shared<const core::cursor_codec>("simulated", "0123456789abcdef");
    const ring::limits recent{upto(20) * 1500, upto(30)};
    std::vector<std::unique_ptr<bridge>> bridges;
    for (int i = 0; i < 2; ++i) {
        bridges.push_back(std::make_unique<bridge>(source, codec, recent, upto(6)));
    }
    const core::transaction_id oldest = source.now().xmax;
    const feed_limits limits{100, upto(60)};
    const std::vector<std::string> channels = {"a", "b", "c", "d"};
    std::vector<std::unique_ptr<client>> clients;
    for (int i = 0; i < 5; ++i) {
        clients.push_back(std::make_unique<client>(source, *codec, random, i % 2 == 1));
        for (const std::string& channel : channels) {
            if (chance(60)) {
                clients.back()->channels.push_back(channel);
            }
        }
        if (clients.back()->channels.empty()) {
            clients.back()->channels.push_back("a");
        }
    }
    for (int step = 0; step < 1500; ++step) {
        switch (random() % 8) {
        case 0: source.begin(); break;
        case 1:
        case 2:
            if (const auto open = source.open(); !open.empty()) {
                for (std::size_t i = upto(4); i > 0; --i) {
                    source.log(open[random() % open.size()], channels[random() % channels.size()]);
                }
            }
            break;
        case 3:
            if (const auto open = source.open(); !open.empty()) {
                source.finish(open[random() % open.size()], chance(80));
            }
            break;
        case 4: bridges[random() % bridges.size()]->follow(); break;
        case 5: bridges[random() % bridges.size()]->run_one(); break;
        case 6: {
            client& who = *clients[random() % clients.size()];
            who.pull({upto(5), upto(20)});
            break;
        }
        default: {
            client& who = *clients[random() % clients.size()];
            if (!who.connected() || chance(4)) {
                who.connect(*bridges[random() % bridges.size()], limits);
            } else if (chance(2)) {
                who.disconnect();
            } else if (chance(2)) {
                // The bridge is killed and started again, with some of the past.
                std::unique_ptr<bridge>& killed = bridges[random() % bridges.size()];
                for (auto& each : clients) {
                    if (each->connected_to(*killed)) {
                        each->disconnect();
                    }
                }
                const core::transaction_id first = oldest + random() % (source.now().xmax - oldest + 1);
                killed = std::make_unique<bridge>(source, codec, recent, upto(6), first);
            }
        }
        }
    }
    // Everything ends, everybody comes back and takes what is left.
    for (const auto xid : source.open()) {
        source.finish(xid, true);
    }
    for (auto& each : clients) {
        if (!each->connected() || !each->started()) {
            each->connect(*bridges[0], limits);
        }
    }
    // A reading goes on page by page, and a thousand of them may hold nothing for anybody.
    for (int quiet = 0; quiet < 1000;) {
        for (auto& each : bridges) {
            each->follow();
            while (each->in_step()) {
                each->follow();
            }
            while (each->run_one()) {
            }
        }
        bool any = false;
        for (auto& each : clients) {
            while (each->pull({upto(5), upto(20)})) {
                any = true;
            }
        }
        quiet = any ? 0 : quiet + 1;
    }
    for (auto& each : clients) {
        REQUIRE(each->started());
        each->verify();
        each->disconnect();
    }
    for (auto& each : bridges) {
        while (each->run_one()) {
        }
        REQUIRE(each->views() == 0);
    }
}

} // namespace

TEST_CASE("Whatever feeds do, each gets every change once, in order, whole transactions at a time")
{
    const unsigned first = std::random_device()();
    for (unsigned seed = 1; seed <= 25; ++seed) {
        simulate(seed);
        simulate(first + seed);
    }
}

} // namespace rowcast::hub
