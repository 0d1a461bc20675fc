#include <catch2/catch.hpp>

#include <sstream>

#include "hub/model.hpp"

namespace rowcast::hub {
namespace {

using model::bridge;
using model::database;

// A client may watch a channel twice: "a" and "a'" are two subscriptions to one.
std::string watched(const std::string& subscription)
{
    return subscription.substr(0, subscription.find('\''));
}

bool is_table(const std::string& channel)
{
    return channel.starts_with("rows ");
}

policy::set_value_ptr membership(const std::string& user)
{
    static std::uint64_t version = 0;
    static const auto definition = std::make_shared<const policy::set_definition>();
    static const auto plan = std::make_shared<const policy::set_plan>(
        policy::set_plan{{"members", "user_id", 0, policy::type_family::integer}});
    return std::make_shared<const policy::set_value>(policy::set_call{definition, {user}}, ++version, plan, std::vector<std::string>{},
                                                     false);
}

// A client as docs/protocol.md describes it: it keeps one cursor a subscription, believes a subscription to be live once a
// frame for all mentions it, and resumes each from its own cursor, on whichever bridge. What it has of a table begins with
// the rows, and it may read it for its membership, as that was when it subscribed.
class client {
public:
    client(database& source, const core::cursor_codec& codec, std::mt19937& random, bool together, std::string user)
        : source_(source), codec_(codec), random_(random), together_(together), user_(std::move(user))
    {
    }

    void connect(bridge& to, feed_limits limits)
    {
        disconnect();
        on_ = &to;
        feed_ = std::make_unique<feed>(to.home(), limits, [this](feed::pull when) {
            // Who is resynced with all that it has ends its feed, which it must not there.
            if (when == feed::pull::now && !together_ && random_() % 2 == 0) {
                pull({1 + random_() % 5, 1 + random_() % 20});
            }
        });
        std::vector<feed::request> all;
        for (const std::string& channel : channels) {
            feed::request wanted = ask_for(channel);
            if (together_) {
                all.push_back(std::move(wanted));
            } else {
                REQUIRE(feed_->subscribe(std::move(wanted), subs_[channel].cursor).has_value());
            }
        }
        if (together_) {
            REQUIRE(feed_->subscribe_together(std::move(all), subs_[channels.front()].cursor).has_value());
        }
    }
    void disconnect()
    {
        feed_.reset();
        open_.clear();
    }
    bool connected() const { return feed_ != nullptr; }
    bool connected_to(const bridge& one) const { return feed_ && on_ == &one; }

    // Returns whether there was something.
    bool pull(const portion& most)
    {
        if (!feed_) {
            return false;
        }
        const auto out = feed_->next(most);
        happened_.fallen_behind += feed_->has_fallen_behind();
        if (!out) {
            if (const auto cursor = feed_->moved_on(); cursor && random_() % 2 == 0) {
                for (auto& [channel, each] : subs_) {
                    each.cursor = *cursor;
                    each.live = true;
                }
            }
            return false;
        }
        std::visit([this](const auto& said) { take(said); }, *out);
        return true;
    }

    void verify() const
    {
        for (const auto& [channel, mine] : subs_) {
            INFO("channel " << channel);
            if (is_table(channel)) {
                auto held = mine.rows;
                std::sort(held.begin(), held.end());
                auto there = source_.rows(channel, mine.first->seen);
                std::sort(there.begin(), there.end());
                REQUIRE(held == there);
            }
            std::vector<core::change_id> expected;
            std::map<core::change_id, core::transaction_id> owner;
            for (const auto& [xid, each] : source_.committed()) {
                for (const auto& [id, logged_on] : each.logged) {
                    owner[id] = xid;
                    if (logged_on == watched(channel) && !mine.first->covers(xid, {each.logged.back().first, id})) {
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
        return std::all_of(subs_.begin(), subs_.end(), [](const auto& each) { return each.second.first && each.second.cursor; }) && !subs_.empty();
    }

    std::vector<std::string> channels;

    // That these happened at all.
    struct counts {
        std::size_t rows = 0;
        std::size_t resyncs = 0;
        std::size_t fallen_behind = 0;
    };
    const counts& happened() const { return happened_; }

private:
    struct sub {
        std::optional<std::string> cursor;
        std::optional<core::cursor> first;
        bool live = false;
        std::vector<core::change_id> rows;
        std::vector<core::change_id> received;
        policy::set_value_ptr rights;
        std::uint64_t authorized = 0; // when
    };

    feed::request ask_for(const std::string& channel)
    {
        sub& mine = subs_[channel];
        mine.live = false;
        if (!is_table(channel)) {
            return {channel, {view_spec::channel{watched(channel)}}, {}};
        }
        mine.rights = membership(user_);
        mine.authorized = source_.time();
        on_->loaded(mine.rights);
        return {channel, model::view_of(channel, {mine.rights}), {}, true};
    }

    // What it could read then it can still, unless it has been taken out of the members since.
    void require_rights(const sub& mine, const std::function<bool(core::transaction_id)>& is_before) const
    {
        for (const auto& [xid, each] : source_.committed()) {
            const bool concerns_me = std::any_of(each.logged.begin(), each.logged.end(),
                                                 [&](const auto& logged) { return logged.second == "members " + user_; });
            if (mine.rights && concerns_me && source_.committed_at(xid) > mine.authorized) {
                REQUIRE_FALSE(is_before(xid));
            }
        }
    }

    core::transaction_id transaction_of(core::change_id id) const
    {
        const auto& all = source_.committed();
        return std::find_if(all.begin(), all.end(), [&](const auto& entry) {
                   return std::any_of(entry.second.logged.begin(), entry.second.logged.end(),
                                      [&](const auto& logged) { return logged.first == id; });
               })->first;
    }

    void take(const subscribed& answer)
    {
        sub& mine = subs_[answer.id];
        if (answer.what == subscribed::status::reset) { // its resync follows
            REQUIRE(answer.reason == core::error_code::permissions_changed);
            return;
        }
        REQUIRE((together_ || answer.what == (mine.cursor ? subscribed::status::resumed : subscribed::status::live)));
        if (mine.cursor) {
            return;
        }
        const core::cursor began = codec_.open(answer.cursor).value();
        require_rights(mine, [&](core::transaction_id removal) { return began.seen.sees(removal); });
        const bool with_rows = together_ ? std::any_of(channels.begin(), channels.end(), is_table) : is_table(answer.id);
        for (const std::string& channel : together_ ? channels : std::vector<std::string>{answer.id}) { // one cursor for all
            sub& each = subs_[channel];
            each.first = began;
            each.rows.clear();
            each.received.clear();
            if (!with_rows) {
                each.cursor = answer.cursor;
                each.live = true;
            }
        }
    }

    void take(const rows& page)
    {
        sub& mine = subs_.at(page.id);
        REQUIRE(mine.received.empty());
        std::istringstream ids(page.text);
        for (std::string id; std::getline(ids, id, ','); ++happened_.rows) {
            mine.rows.push_back(std::stoull(id));
        }
        for (auto& [channel, each] : subs_) {
            if (!page.cursor.empty() && (together_ || channel == page.id)) {
                each.cursor = page.cursor;
            }
        }
    }

    void take(const resync& told)
    {
        REQUIRE(told.reason == "permissions_changed");
        REQUIRE(is_table(told.id));
        ++happened_.resyncs;
        if (together_) { // comes back with nothing
            disconnect();
            subs_.clear();
            return;
        }
        open_.erase(told.id);
        subs_[told.id] = {};
        REQUIRE(feed_->subscribe(ask_for(told.id), std::nullopt).has_value());
    }

    void take(const refused&) { FAIL("nothing is refused here"); }
    void take(const unsubscribed&) { FAIL("nobody unsubscribes here"); }

    void take(const changes& frame)
    {
        std::set<std::string> mentioned;
        for (const changes::entry& entry : frame.events) {
            for (const std::string_view id : entry.subs) {
                mentioned.insert(std::string(id));
                sub& mine = subs_.at(std::string(id));
                mine.received.push_back(std::stoull(std::string(entry.text)));
                if (mine.rights) {
                    const core::transaction_id xid = transaction_of(mine.received.back());
                    require_rights(mine, [&](core::transaction_id removal) { return source_.must_precede(removal, xid); });
                }
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
    std::string user_;
    std::unique_ptr<feed> feed_;
    bridge* on_ = nullptr;
    std::map<std::string, sub> subs_;
    counts happened_;
    std::set<std::string> open_; // streams in the middle of a transaction
};

client::counts simulate(unsigned seed)
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
    const std::vector<std::string> channels = {"a", "b", "c", "d", "a'", "b'", "rows x", "rows y"};
    const auto what_happens = [&] {
        return chance(5) ? "members " + std::to_string(random() % 5) : watched(channels[random() % channels.size()]);
    };
    std::vector<std::unique_ptr<client>> clients;
    for (int i = 0; i < 5; ++i) {
        clients.push_back(std::make_unique<client>(source, *codec, random, i % 2 == 1, std::to_string(i)));
        for (const std::string& channel : channels) {
            if (chance(is_table(channel) ? 30 : 60)) {
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
                    source.log(open[random() % open.size()], what_happens());
                }
            }
            break;
        case 3:
            if (const auto open = source.open(); !open.empty()) {
                source.finish(open[random() % open.size()], chance(80));
            }
            break;
        case 4: bridges[random() % bridges.size()]->follow(); break;
        case 5: bridges[random() % bridges.size()]->run_one(upto(4)); break;
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
            if (!each->connected()) {
                each->connect(*bridges[0], limits);
            }
            while (each->pull({upto(5), upto(20)})) {
                any = true;
            }
        }
        quiet = any ? 0 : quiet + 1;
    }
    client::counts all;
    for (auto& each : clients) {
        REQUIRE(each->started());
        each->verify();
        each->disconnect();
        all.rows += each->happened().rows;
        all.resyncs += each->happened().resyncs;
        all.fallen_behind += each->happened().fallen_behind;
    }
    for (auto& each : bridges) {
        while (each->run_one()) {
        }
        REQUIRE(each->views() == 0);
    }
    return all;
}

} // namespace

TEST_CASE("Whatever feeds do, each gets every change once, in order, whole transactions at a time, after the rows that were there")
{
    const unsigned first = std::random_device()();
    client::counts all;
    for (unsigned seed = 1; seed <= 25; ++seed) {
        for (const unsigned each : {seed, first + seed}) {
            const client::counts more = simulate(each);
            all.rows += more.rows;
            all.resyncs += more.resyncs;
            all.fallen_behind += more.fallen_behind;
        }
    }
    CHECK(all.rows > 1000);
    CHECK(all.resyncs > 50);
    CHECK(all.fallen_behind > 50);
}

} // namespace rowcast::hub
