#include <catch2/catch.hpp>

#include "hub/model.hpp"

namespace rowcast::hub {
namespace {

// One bridge, one database, one feed that is asked for everything whenever something has happened.
struct scene {
    model::database source;
    std::shared_ptr<const core::cursor_codec> codec = std::make_shared<const core::cursor_codec>("scene", "0123456789abcdef");
    model::bridge bridge;
    unsigned rung = 0;
    feed mine;

    explicit scene(ring::limits recent = {}, std::size_t pending_bytes = 1 << 20, std::size_t page_size = 100)
        : bridge(source, codec, recent, page_size), mine(bridge.home(), {3, pending_bytes}, [this](feed::pull) { ++rung; })
    {
    }

    static feed::request on(std::string channel) { return {channel, {view_spec::channel{channel}}, {}}; }

    void commit(const std::string& channel)
    {
        const auto xid = source.begin();
        source.log(xid, channel);
        source.finish(xid, true);
    }
    void follow()
    {
        bridge.follow();
        run();
    }
    void run()
    {
        while (bridge.run_one()) {
        }
    }

    // What the feed says, in short: "live a", "a:7 b:8", "resync a reason", "left a".
    std::vector<std::string> heard(const portion& most = {})
    {
        std::vector<std::string> all;
        for (;;) {
            const auto out = mine.next(most);
            if (!out) {
                const bool more = (run(), mine.has_output());
                if (!more) {
                    return all;
                }
                continue;
            }
            all.push_back(say(*out));
            cursors.push_back(cursor);
        }
    }

    std::string say(const output& out)
    {
        if (const auto* answer = std::get_if<subscribed>(&out)) {
            const char* words[] = {"live ", "resumed ", "reset "};
            cursor = answer->cursor;
            const std::string reason = answer->what == subscribed::status::reset ? " " + std::string(to_string(answer->reason)) : "";
            return words[static_cast<int>(answer->what)] + answer->id + reason;
        }
        if (const auto* frame = std::get_if<changes>(&out)) {
            cursor = frame->cursor;
            goes_on = frame->more;
            std::string text = frame->id.empty() ? "" : "[" + frame->id + "]";
            for (const auto& entry : frame->events) {
                text += text.empty() ? "" : " ";
                for (const auto sub : entry.subs) {
                    text += sub;
                }
                text += ":" + std::string(entry.text);
            }
            text += frame->live ? " live" : "";
            return text;
        }
        if (const auto* told = std::get_if<resync>(&out)) {
            return "resync " + told->id + " " + told->reason;
        }
        return "left " + std::get<unsubscribed>(out).id;
    }

    std::string cursor;
    std::vector<std::string> cursors; // after each that was heard
    bool goes_on = false; // the last transaction of the last frame
};

using said = std::vector<std::string>;

} // namespace

TEST_CASE("A subscription hears nothing before its `subscribed` and nothing after its `unsubscribed`")
{
    scene s;
    REQUIRE(s.mine.subscribe(s.on("a"), std::nullopt).has_value());
    s.commit("a");
    s.follow();
    REQUIRE(s.heard() == said{"live a", "a:1"});
    s.commit("a");
    s.follow();
    REQUIRE(s.mine.unsubscribe("a").has_value());
    s.commit("a");
    s.follow();
    REQUIRE(s.heard() == said{"left a"});
    REQUIRE(s.bridge.views() == 0);
    REQUIRE(s.mine.unsubscribe("a").error().code == core::error_code::unknown_subscription);
}

TEST_CASE("What has gathered leaves in one frame, and a change that two subscriptions share is one event")
{
    scene s;
    feed::request twin = s.on("a");
    twin.id = "A";
    REQUIRE(s.mine.subscribe(s.on("a"), std::nullopt).has_value());
    REQUIRE(s.mine.subscribe(std::move(twin), std::nullopt).has_value());
    REQUIRE(s.mine.subscribe(s.on("b"), std::nullopt).has_value());
    s.run();
    REQUIRE(s.heard() == said{"live a", "live A", "live b"});
    s.commit("a");
    s.follow();
    s.commit("b");
    s.follow();
    REQUIRE(s.heard() == said{"aA:1 b:2"});
    REQUIRE(s.bridge.views() == 2);
}

TEST_CASE("A feed that is read as soon as it is told has all of a publication, whoever subscribed between its subscriptions")
{
    scene s;
    std::vector<said> frames;
    feed* reads = nullptr;
    feed at_once(s.bridge.home(), {3, 1 << 20}, [&](feed::pull when) {
        while (auto out = when == feed::pull::now ? reads->next({}) : std::nullopt) {
            frames.push_back({s.say(*out)});
        }
    });
    reads = &at_once;
    const auto subscribe = [&](feed& to, std::string id) {
        feed::request wanted = s.on("a");
        wanted.id = std::move(id);
        REQUIRE(to.subscribe(std::move(wanted), std::nullopt).has_value());
        s.run();
        while (to.next({})) {
        }
    };
    subscribe(at_once, "first");
    subscribe(s.mine, "between");
    subscribe(at_once, "second");
    s.commit("a");
    s.follow();
    REQUIRE(frames == std::vector<said>{{"firstsecond:1"}});
}

TEST_CASE("`unsubscribed` comes before frames that no longer hold what there was for the subscription")
{
    scene s;
    REQUIRE(s.mine.subscribe(s.on("a"), std::nullopt).has_value());
    REQUIRE(s.mine.subscribe(s.on("b"), std::nullopt).has_value());
    s.run();
    s.heard();
    s.commit("a");
    s.follow();
    s.commit("b");
    s.follow();
    REQUIRE(s.mine.unsubscribe("a").has_value());
    REQUIRE(s.heard() == said{"left a", "b:2"});
}

TEST_CASE("A feed has a limited number of subscriptions, and an id once")
{
    scene s;
    REQUIRE(s.mine.subscribe(s.on("a"), std::nullopt).has_value());
    REQUIRE(s.mine.subscribe(s.on("a"), std::nullopt).error().code == core::error_code::duplicate_subscription);
    REQUIRE(s.mine.subscribe(s.on("b"), std::nullopt).has_value());
    REQUIRE(s.mine.subscribe(s.on("c"), std::nullopt).has_value());
    REQUIRE(s.mine.subscribe(s.on("d"), std::nullopt).error().code == core::error_code::too_many_subscriptions);
}

TEST_CASE("A cursor resumes from the ring, and from the log where the ring no longer reaches it")
{
    const std::size_t batches = GENERATE(1000, 1);
    scene s({1 << 20, batches});
    REQUIRE(s.mine.subscribe(s.on("a"), std::nullopt).has_value());
    s.run();
    s.heard();
    REQUIRE(s.mine.unsubscribe("a").has_value());
    for (int i = 0; i < 5; ++i) {
        s.commit(i % 2 == 0 ? "a" : "b");
        s.follow();
    }
    REQUIRE(s.mine.subscribe(s.on("a"), s.cursor).has_value());
    s.run();
    REQUIRE(s.heard() == said{"left a", "resumed a", "[a] a:1 a:3 a:5", "[a] live"});
    REQUIRE(s.bridge.log_readings == (batches == 1 ? 1U : 0U));
    s.commit("a");
    s.follow();
    REQUIRE(s.heard() == said{"a:6"});
}

TEST_CASE("Each frame of a replay ends with a cursor that brings exactly the rest, also where pages were passed over")
{
    scene s({}, 1 << 20, 1);
    REQUIRE(s.mine.subscribe(s.on("a"), std::nullopt).has_value());
    s.run();
    REQUIRE(s.heard() == said{"live a"});
    REQUIRE(s.mine.unsubscribe("a").has_value());
    const auto follow_all = [&] {
        do {
            s.follow();
        } while (s.bridge.in_step());
    };
    const auto slow = s.source.begin();
    s.source.log(slow, "a"); // 1: before all others in the order of places, and after the next ones in that of steps
    const auto large = s.source.begin();
    s.source.log(large, "a"); // 2
    s.source.log(large, "a"); // 3
    s.source.finish(large, true);
    s.commit("b"); // 4, in the same step
    follow_all();
    s.commit("b"); // 5
    follow_all();
    s.source.finish(slow, true);
    s.commit("a"); // 6
    follow_all();

    const std::vector<std::string> events{"[a] a:2", "[a] a:3", "[a] a:1", "[a] a:6"};
    REQUIRE(s.mine.subscribe(s.on("a"), s.cursor).has_value());
    s.run();
    s.cursors.clear();
    auto expected = events;
    expected.insert(expected.begin(), {"left a", "resumed a"});
    expected.push_back("[a] live");
    REQUIRE(s.heard({1, 1}) == expected);
    const auto after = std::vector(s.cursors.begin() + 2, s.cursors.end() - 1);
    for (std::size_t i = 0; i < after.size(); ++i) {
        CAPTURE(i);
        REQUIRE(s.mine.unsubscribe("a").has_value());
        REQUIRE(s.mine.subscribe(s.on("a"), after[i]).has_value());
        s.run();
        std::vector<std::string> rest(events.begin() + static_cast<std::ptrdiff_t>(i) + 1, events.end());
        rest.insert(rest.begin(), {"left a", "resumed a"});
        rest.push_back("[a] live");
        CHECK(s.heard({1, 1}) == rest);
    }
    CHECK(s.bridge.log_readings == 0);
}

TEST_CASE("A page that many subscriptions of a client want all of comes whole and in order, once for all of them")
{
    scene s({}, 1 << 20, 2000);
    const std::string before = s.codec->seal({s.source.now(), std::nullopt});
    const auto xid = s.source.begin();
    std::string expected;
    for (int i = 1; i <= 700; ++i) {
        s.source.log(xid, i % 7 == 0 ? "b" : "a");
        expected += i % 7 == 0 ? "" : (expected.empty() ? "xy:" : " xy:") + std::to_string(i);
    }
    s.source.finish(xid, true);
    s.follow();
    std::vector<feed::request> wanted;
    for (const char* id : {"x", "y"}) {
        wanted.push_back(s.on("a"));
        wanted.back().id = id;
    }
    REQUIRE(s.mine.subscribe_together(std::move(wanted), before).has_value());
    s.run();
    const auto all = s.heard({100, 32 * 1024});
    REQUIRE(all.size() == 2 + 6); // `resumed`, and a hundred events each
    std::string got;
    for (std::size_t i = 2; i < all.size(); ++i) {
        got += (got.empty() ? "" : " ") + all[i];
    }
    CHECK(got == expected);
}

TEST_CASE("A client that fell behind inside a transaction is told that it is over, also where nothing of the rest concerns it")
{
    scene s({1 << 20, 1}, 0, 1);
    REQUIRE(s.mine.subscribe(s.on("a"), std::nullopt).has_value());
    s.run();
    const auto xid = s.source.begin();
    s.source.log(xid, "a");
    s.source.log(xid, "b");
    s.source.finish(xid, true);
    s.bridge.others_leave = true;
    do {
        s.follow();
    } while (s.bridge.in_step());
    const auto all = s.heard();
    REQUIRE(s.bridge.log_readings == 1);
    CHECK(all == said{"live a", "a:1", ""});
    CHECK_FALSE(s.goes_on);
    s.commit("b");
    s.follow();
    CHECK(s.heard().empty());
}

TEST_CASE("A cursor that cannot be used is a reset with its reason, and live from then on")
{
    scene s;
    const auto other = core::cursor_codec("another log", "0123456789abcdef").seal({{1, 1, {}}, std::nullopt});
    REQUIRE(s.mine.subscribe(s.on("a"), other).has_value());
    REQUIRE(s.mine.subscribe(s.on("b"), "nonsense").has_value());
    s.run();
    REQUIRE(s.heard() == said{"reset a cursor_foreign", "reset b cursor_malformed"});
    s.commit("b");
    s.follow();
    REQUIRE(s.heard() == said{"b:1"});
}

TEST_CASE("A cursor from the future is waited for, and is foreign where that future does not come")
{
    const auto codec = std::make_shared<const core::cursor_codec>("scene", "0123456789abcdef");
    hub alone(&model::write, {});
    alone.start(codec, {700, 700, {}});
    const attach_request ahead{{{view_spec::channel{"a"}}}, codec->seal({{900, 900, {}}, std::nullopt})};
    REQUIRE_FALSE(alone.attach(ahead).has_value());
    const auto reset = alone.attach(ahead, true);
    REQUIRE((reset && reset->what == attach_reply::outcome::reset && reset->reason == core::error_code::cursor_foreign));
    alone.publish(std::make_shared<const core::batch>(core::batch{{700, 700, {}}, {900, 900, {}}, {}, true, false}));
    const auto resumed = alone.attach(ahead);
    REQUIRE((resumed && resumed->what == attach_reply::outcome::resumed));
}

TEST_CASE("A cursor that retention has passed is a reset, found while the log is read")
{
    scene s({1 << 20, 1});
    REQUIRE(s.mine.subscribe(s.on("a"), std::nullopt).has_value());
    s.run();
    s.heard();
    const std::string old = s.cursor;
    REQUIRE(s.mine.unsubscribe("a").has_value());
    for (int i = 0; i < 3; ++i) {
        s.commit("a");
        s.follow();
    }
    s.bridge.log_fails = core::error_code::cursor_expired;
    REQUIRE(s.mine.subscribe(s.on("a"), old).has_value());
    s.run();
    REQUIRE(s.heard() == said{"left a", "reset a cursor_expired"});
}

TEST_CASE("A client that takes nothing is sent back to its position, and misses nothing")
{
    scene s({}, 3);
    REQUIRE(s.mine.subscribe(s.on("a"), std::nullopt).has_value());
    s.run();
    REQUIRE(s.heard() == said{"live a"});
    for (int i = 0; i < 20; ++i) {
        s.commit("a");
        s.follow();
    }
    std::string all;
    for (const std::string& frame : s.heard()) {
        all += frame + " ";
    }
    std::string expected;
    for (int i = 1; i <= 20; ++i) {
        expected += "a:" + std::to_string(i) + " ";
    }
    REQUIRE(all == expected);
}

TEST_CASE("A subscription that ends with a resync leaves the others where they are, also when the client takes nothing more")
{
    scene s({}, 25);
    s.commit("b");
    s.follow();
    REQUIRE(s.mine.subscribe({"a", model::view_of("rows a"), {}}, std::nullopt).has_value());
    REQUIRE(s.mine.subscribe(s.on("b"), std::nullopt).has_value());
    s.run();
    REQUIRE(s.heard() == said{"live a", "live b"});
    const auto xid = s.source.begin();
    s.source.log(xid, "resync rows a");
    s.source.log(xid, "b");
    s.source.finish(xid, true);
    s.follow();
    REQUIRE(s.say(*s.mine.next({})) == "resync a partition_detached");
    for (int i = 0; i < 8; ++i) {
        s.commit("b");
        s.follow();
    }
    std::string all;
    for (const std::string& frame : s.heard()) {
        all += frame + " ";
    }
    REQUIRE(all == "b:3 b:4 b:5 b:6 b:7 b:8 b:9 b:10 b:11 ");
}

TEST_CASE("What is passed on between two pages takes nobody back behind what they have")
{
    scene s({}, 3, 1); // pages of one change
    for (const char* const each : {"a", "n"}) {
        REQUIRE(s.mine.subscribe(s.on(each), std::nullopt).has_value());
    }
    s.run();
    REQUIRE(s.heard() == said{"live a", "live n"});
    s.commit("a");
    s.commit("a");
    s.follow();
    REQUIRE(s.heard() == said{"a:1"});
    s.bridge.pass_on("n");
    s.run();
    s.follow(); // the second page
    for (int i = 0; i < 5; ++i) {
        s.commit("a");
        s.follow();
    }
    std::string all;
    for (const std::string& frame : s.heard()) {
        all += frame + " ";
    }
    REQUIRE(all == "a:2 a:3 a:4 a:5 a:6 a:7 ");
}

TEST_CASE("Of a change that is a resync to one subscription and an event to another, the resync is told first")
{
    const std::size_t resynced = GENERATE(0U, 1U);
    scene s;
    const std::string ids[] = {"a", "b"};
    for (const std::string& each : ids) {
        REQUIRE(s.mine.subscribe(s.on(each), std::nullopt).has_value());
    }
    s.run();
    REQUIRE(s.heard() == said{"live a", "live b"});
    s.commit("neither");
    publication made;
    made.batch = s.source.read({{700, 700, {}}, std::nullopt}, s.source.now(), 1).front();
    made.codec = s.codec;
    made.cursor = s.codec->seal(made.batch->position());
    for (std::size_t i = 0; i < 2; ++i) { // the views' numbers begin with 1
        const bool ends = i == resynced;
        const auto text = std::make_shared<const std::string>(ends ? "row_too_large" : "1");
        made.events[i + 1].push_back({0, core::operation::insert, ends ? event::kind::resync : event::kind::event, text});
    }
    s.bridge.home().publish(std::make_shared<const publication>(std::move(made)));
    REQUIRE(s.heard() == said{"resync " + ids[resynced] + " row_too_large", ids[1 - resynced] + ":1"});
}

TEST_CASE("A shard knows what its clients lack, whether it waits for them or they catch up")
{
    scene is({}, 60);
    CHECK(is.bridge.home().survey(0, 10).sessions == 1);
    CHECK_FALSE(is.bridge.home().survey(0, 10).slowest);
    REQUIRE(is.mine.subscribe(scene::on("a"), {}).has_value());
    is.run();
    is.heard();
    CHECK(is.bridge.home().survey(0, 10).subscriptions == 1);
    CHECK_FALSE(is.bridge.home().survey(0, 10).slowest);

    const auto lacking = is.source.now().xmax;
    is.commit("a");
    is.follow();
    CHECK(is.bridge.home().survey(0, 10).slowest == lacking);
    CHECK(is.bridge.home().survey(0, 10).catching_up == 0);
    for (int i = 0; i < 100; ++i) { // more than is kept for it
        is.commit("a");
        is.follow();
    }
    CHECK(is.bridge.home().survey(0, 10).slowest == lacking);
    CHECK(is.bridge.home().survey(0, 10).catching_up == 1);
    is.heard();
    CHECK_FALSE(is.bridge.home().survey(0, 10).slowest);
    CHECK(is.bridge.home().survey(0, 10).catching_up == 0);

    feed another(is.bridge.home(), {3, 1 << 20}, [](feed::pull) {});
    CHECK(is.bridge.home().survey(0, 10).sessions == 2);
}

TEST_CASE("When retention overtakes a client that has fallen back, it is told to read again")
{
    scene s({1 << 20, 1}, 3);
    REQUIRE(s.mine.subscribe(s.on("a"), std::nullopt).has_value());
    s.run();
    REQUIRE(s.heard() == said{"live a"});
    for (int i = 0; i < 20; ++i) {
        s.commit("a");
        s.follow();
    }
    s.bridge.log_fails = core::error_code::cursor_expired;
    REQUIRE(s.heard() == said{"resync a cursor_expired"});
    REQUIRE(s.mine.subscriptions() == 0);
    REQUIRE(s.mine.subscribe(s.on("a"), std::nullopt).has_value());
    s.run();
    REQUIRE(s.heard() == said{"live a"});
}

TEST_CASE("A subscription that catches up while the log is replaced keeps cursors of its own log, and is told to read again")
{
    scene at({1 << 20, 2}); // a ring for two batches
    REQUIRE(at.mine.subscribe(scene::on("b"), std::nullopt).has_value());
    at.run();
    REQUIRE(at.heard() == said{"live b"});
    const std::string old = at.cursor;
    for (int i = 0; i < 6; ++i) {
        at.commit("a");
        at.follow();
    }
    REQUIRE(at.mine.subscribe(scene::on("a"), old).has_value());
    at.run();
    CHECK(at.say(*at.mine.next({})) == "resumed a");
    // A page of the log has come, and not been taken yet.
    const auto other = std::make_shared<const core::cursor_codec>("after the fail-over", "0123456789abcdef");
    at.bridge.replace(other, "fail_over");
    at.run();
    REQUIRE(at.mine.subscribe(scene::on("c"), std::nullopt).has_value()); // which brings the feed a reply of the new log
    at.run();
    said all;
    while (const auto out = at.mine.next({})) {
        if (const auto* page = std::get_if<changes>(&*out); page && page->id == "a") {
            CHECK(at.codec->open(page->cursor).has_value());
            CHECK_FALSE(other->open(page->cursor).has_value());
        }
        all.push_back(at.say(*out));
        at.run();
    }
    CHECK(std::count(all.begin(), all.end(), "resync a cursor_foreign") == 1);
    CHECK(std::count(all.begin(), all.end(), "resync b fail_over") == 1);
    CHECK(std::count(all.begin(), all.end(), "live c") == 1);
}

TEST_CASE("Pages that a client has had already end no transaction that goes on")
{
    scene at({1 << 20, 1}, 1 << 20, 2); // a ring for one batch, pages of two changes
    REQUIRE(at.mine.subscribe(scene::on("b"), std::nullopt).has_value());
    at.run();
    REQUIRE(at.heard() == said{"live b"});
    const std::string old = at.cursor;
    const auto commit = [&](int changes) {
        const auto xid = at.source.begin();
        for (int i = 0; i < changes; ++i) {
            at.source.log(xid, "a");
        }
        at.source.finish(xid, true);
    };
    commit(2);
    commit(6);
    while (at.follow(), at.bridge.in_step()) {
    }
    at.heard();
    REQUIRE(at.mine.subscribe(scene::on("a"), old).has_value());
    at.run();
    said all;
    for (int looks = 0; looks < 50; ++looks) {
        const auto out = at.mine.next({});
        if (!out) {
            at.run();
            continue;
        }
        const auto* page = std::get_if<changes>(&*out);
        all.push_back(at.say(*out) + (page && page->more ? " ..." : ""));
        at.bridge.new_pass = all.back() == "[a] a:3 a:4 ...";
        at.run();
    }
    REQUIRE(all == said{"resumed a", "[a] a:1 a:2", "[a] a:3 a:4 ...", "[a] a:5 a:6 ...", "[a] a:7 a:8", "[a] live"});
}

TEST_CASE("A subscription that is stopped hears a resync and nothing more until it is subscribed again")
{
    scene s;
    REQUIRE(s.mine.subscribe(s.on("a"), std::nullopt).has_value());
    s.run();
    s.heard();
    s.mine.stop("a", "permissions_changed");
    s.commit("a");
    s.follow();
    REQUIRE(s.heard() == said{"resync a permissions_changed"});
    REQUIRE(s.bridge.views() == 0);
}

TEST_CASE("The cursor moves on for a feed that nothing concerns")
{
    scene s;
    REQUIRE(s.mine.subscribe(s.on("a"), std::nullopt).has_value());
    s.run();
    s.heard();
    REQUIRE_FALSE(s.mine.moved_on().has_value());
    s.commit("b");
    s.follow();
    const auto moved = s.mine.moved_on();
    REQUIRE(moved.has_value());
    REQUIRE_FALSE(s.mine.moved_on().has_value());
    s.commit("a");
    s.follow();
    REQUIRE(s.mine.unsubscribe("a").has_value());
    REQUIRE(s.mine.subscribe(s.on("a"), *moved).has_value());
    s.run();
    REQUIRE(s.heard() == said{"left a", "resumed a", "[a] a:2", "[a] live"});
}

TEST_CASE("A resumed subscription is told that it moves with the others, though nothing ever happens to it")
{
    scene s;
    REQUIRE(s.mine.subscribe(s.on("a"), std::nullopt).has_value());
    s.run();
    s.heard();
    REQUIRE(s.mine.subscribe(s.on("b"), s.cursor).has_value());
    s.run();
    REQUIRE(s.heard() == said{"resumed b", "[b] live"});
    s.commit("a");
    s.follow();
    REQUIRE(s.heard() == said{"a:1"});
}

TEST_CASE("The owner of a feed is told once that there is something, and again after it has taken everything")
{
    scene s;
    REQUIRE(s.mine.subscribe(s.on("a"), std::nullopt).has_value());
    s.run();
    REQUIRE(s.rung == 1);
    s.heard();
    s.commit("a");
    s.follow();
    s.commit("a");
    s.follow();
    REQUIRE(s.rung == 2);
}

TEST_CASE("A client that keeps one small event while much passes goes back to catching up, and gets everything")
{
    scene s({1500, 1000});
    REQUIRE(s.mine.subscribe(scene::on("a"), {}).has_value());
    s.run();
    REQUIRE(s.heard() == said{"live a"});
    model::database& source = s.source;
    feed other(s.bridge.home(), {3, 1 << 20}, [](feed::pull) {}); // so that there is more in each publication
    REQUIRE(other.subscribe(scene::on("b"), {}).has_value());
    s.run();
    s.commit("a");
    s.follow();
    REQUIRE(s.bridge.log_readings == 0);
    for (std::size_t passed = 0; passed < 2 * model::bridge::most_held; passed += 200) {
        const auto xid = source.begin();
        source.log(xid, "c");
        source.finish(xid, true);
        s.follow();
    }
    REQUIRE(s.bridge.views() == 2); // the stuck one has not asked since
    s.commit("a");
    s.follow();
    std::string all;
    for (const std::string& frame : s.heard()) {
        all += frame + "; ";
    }
    REQUIRE(s.bridge.log_readings == 1); // neither kept, nor in the ring any more
    REQUIRE(std::count(all.begin(), all.end(), ':') == 2);
}


policy::set_value_ptr rooms_of(const std::string& user)
{
    static std::uint64_t version = 0;
    static const auto plan = std::make_shared<const policy::set_plan>(policy::set_plan{{"members", "user_id", 0, policy::type_family::integer}});
    auto definition = std::make_shared<policy::set_definition>();
    definition->name = "rooms";
    return std::make_shared<const policy::set_value>(policy::set_call{definition, {user}}, ++version, plan, std::vector<std::string>{"a"}, false);
}

feed::request on(std::string channel, policy::set_value_ptr rights, std::string id = "")
{
    view_spec view{view_spec::channel{channel}, {std::move(rights)}};
    return {id.empty() ? channel : id, std::move(view), {}};
}

TEST_CASE("who depends on a set that becomes another is told instead of getting the batch that makes it so")
{
    scene at;
    const auto mine = rooms_of("7");
    REQUIRE(at.mine.subscribe(on("a", mine), std::nullopt).has_value());
    REQUIRE(at.mine.subscribe(on("a", rooms_of("8"), "b"), std::nullopt).has_value());
    at.run();
    CHECK(at.heard() == said{"live a", "live b"});
    at.commit("a");
    mine->supersede();
    at.bridge.supersede({mine});
    at.follow();
    CHECK(at.heard() == said{"resync a permissions_changed", "b:1"});
    at.commit("a");
    at.follow();
    CHECK(at.heard() == said{"b:2"});
    REQUIRE(at.mine.subscribe(on("a", rooms_of("7")), std::nullopt).has_value());
    at.run();
    CHECK(at.heard() == said{"live a"});
}

TEST_CASE("who was authorized before their set became another does not join after it")
{
    scene at;
    const auto mine = rooms_of("7");
    at.commit("a");
    mine->supersede();
    at.bridge.supersede({mine});
    at.follow();
    REQUIRE(at.mine.subscribe(on("a", mine), std::nullopt).has_value());
    at.run();
    CHECK(at.heard() == said{"reset a permissions_changed", "resync a permissions_changed"});
    at.commit("a");
    at.follow();
    CHECK(at.heard() == said{});
}

TEST_CASE("the past is shown up to where the rights to it may have been others")
{
    scene at;
    REQUIRE(at.mine.subscribe(scene::on("z"), std::nullopt).has_value());
    at.run();
    CHECK(at.heard() == said{"live z"});
    const std::string before = at.cursor;
    at.commit("a");
    at.commit("members 8");
    at.commit("a");
    at.commit("members 7");
    at.commit("a");
    at.follow();
    at.heard();
    REQUIRE(at.mine.subscribe(on("a", rooms_of("7")), before).has_value());
    at.run();
    CHECK(at.heard() == said{"resumed a", "[a] a:1 a:3", "resync a permissions_changed"});
    REQUIRE(at.mine.subscribe(on("a", rooms_of("9"), "c"), before).has_value());
    at.run();
    CHECK(at.heard() == said{"resumed c", "[c] c:1 c:3 c:5", "[c] live"});
}

} // namespace rowcast::hub
