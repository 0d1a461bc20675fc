#include "postgres/doorbell.hpp"

#include <catch2/catch.hpp>

#include <initializer_list>
#include <string_view>
#include <vector>

using rowcast::postgres::doorbell;
using state = doorbell::state;
using action = doorbell::action;
using namespace std::chrono_literals;

namespace {

constexpr auto poll_interval = 5s;

// A doorbell and the clock that it is told; transaction ids go up by themselves.
struct stepped {
    doorbell bell{poll_interval, {}};
    doorbell::time now{1h};
    rowcast::core::transaction_id newest = 1000;

    std::vector<action> actions()
    {
        std::vector<action> all;
        while (const auto each = bell.next(now)) {
            all.push_back(*each);
        }
        return all;
    }

    // Reads one after the other, `every` so often.
    void read(int times, std::chrono::milliseconds every, std::size_t transactions, std::size_t crowd = 0)
    {
        for (int i = 0; i < times; ++i) {
            now += every;
            newest += transactions;
            // The crowd are the next ones to finish.
            rowcast::core::snapshot seen{newest, newest + 2 * crowd, {}};
            for (std::size_t k = 0; k < crowd; ++k) {
                seen.in_progress.push_back(newest + 2 * k);
            }
            bell.read({now, 0ms, transactions, seen});
        }
    }
    void read_with_open(rowcast::core::transaction_id oldest_open, std::size_t transactions = 0)
    {
        now += 1ms;
        bell.read({now, 0ms, transactions, {oldest_open, 10'000'000, {oldest_open}}});
    }

    std::chrono::milliseconds pace() const { return std::chrono::ceil<std::chrono::milliseconds>(bell.next_read() - now); }

    // Marks, and lets everybody finish.
    void settle()
    {
        REQUIRE(actions() == std::vector{action::mark});
        bell.marked(newest);
        ++newest;
        read(1, 1ms, 0);
        REQUIRE(bell.current() == state::sleeping);
    }
    void become_quiet()
    {
        bell.connected(now);
        settle();
        read(20, 10ms, 20);
        REQUIRE(actions() == std::vector{action::take});
        bell.took(true, now);
        REQUIRE(bell.current() == state::quiet);
    }
};

} // namespace

TEST_CASE("at the start a doorbell looks by itself until everybody has finished who may have skipped the bell")
{
    stepped at;
    CHECK(at.actions().empty()); // nothing without a connection
    at.bell.connected(at.now);
    CHECK(at.bell.current() == state::letting_go);
    CHECK(at.pace() == 5ms);
    REQUIRE(at.actions() == std::vector{action::mark});
    at.bell.marked(2000);
    at.read_with_open(1500);
    CHECK(at.bell.current() == state::letting_go);
    at.read_with_open(2000); // the drawn one itself
    CHECK(at.bell.current() == state::letting_go);
    CHECK(at.pace() < 100ms);
    at.read_with_open(2001);
    CHECK(at.bell.current() == state::sleeping);
    CHECK(at.pace() == poll_interval);
}

TEST_CASE("a follow-up that finds nothing looks less and less often, and never less than five times a second")
{
    stepped at;
    at.bell.connected(at.now);
    at.actions();
    at.bell.marked(2000);
    auto before = at.pace();
    for (int i = 0; i < 50; ++i) {
        at.read_with_open(1500);
        CHECK(at.pace() >= before);
        before = at.pace();
    }
    CHECK(before == 200ms);
    at.read_with_open(1500, 1);
    CHECK(at.pace() == 5ms);
}

TEST_CASE("a doorbell takes the key where there are many transactions or some that crowd, and not for a few")
{
    struct {
        std::size_t transactions, crowd; // every 10 ms
        bool takes;
    } const loads[] = {{0, 0, false}, {1, 1, false}, {2, 1, false}, {2, 3, true}, {9, 0, false}, {11, 0, true}, {0, 50, false}};
    for (const auto& load : loads) {
        INFO(load.transactions << " transactions, crowd " << load.crowd);
        stepped at;
        at.bell.connected(at.now);
        at.settle();
        at.read(30, 10ms, load.transactions, load.crowd);
        CHECK((at.bell.current() == state::taking) == load.takes);
        CHECK((at.actions() == std::vector{action::take}) == load.takes);
    }
}

TEST_CASE("writers in a queue, whom no snapshot lists, are a crowd by how long they have waited")
{
    struct {
        std::size_t transactions; // every 10 ms
        std::chrono::microseconds waited;
        bool takes;
    } const loads[] = {{7, 11ms, true}, {7, 1ms, false}, {7, -11ms, false}, {1, 40ms, true}, {1, 10ms, false}};
    for (const auto& load : loads) {
        INFO(load.transactions << " transactions, " << load.waited.count() << " us");
        stepped at;
        at.bell.connected(at.now);
        at.settle();
        for (int i = 0; i < 30; ++i) {
            at.now += 10ms;
            at.newest += load.transactions;
            at.bell.read({at.now, 0ms, load.transactions, {at.newest, at.newest, {}}, load.waited});
        }
        CHECK((at.bell.current() == state::taking) == load.takes);
    }
}

TEST_CASE("one transaction that waited long is no crowd")
{
    stepped at;
    at.bell.connected(at.now);
    at.settle();
    for (int i = 0; i < 100; ++i) {
        at.now += 10ms;
        at.newest += 2;
        at.bell.read({at.now, 0ms, i % 20 == 10 ? 1U : 2U, {at.newest, at.newest, {}}, i % 20 == 10 ? 900ms : 1ms});
    }
    CHECK(at.bell.current() == state::sleeping);
}

TEST_CASE("transactions that have been open for seconds are no crowd")
{
    stepped at;
    at.bell.connected(at.now);
    at.settle();
    const rowcast::core::transaction_id forgotten = at.newest;
    for (int i = 0; i < 1000; ++i) {
        at.now += 10ms;
        at.newest += 2;
        at.bell.read({at.now, 0ms, 2, {forgotten, at.newest, {forgotten, forgotten + 1, forgotten + 2}}});
        if (at.bell.current() == state::taking && at.now > doorbell::time(1h + 2s)) {
            for (const action each : at.actions()) {
                CHECK(each == action::take);
                at.bell.took(false, at.now);
            }
        }
    }
    CHECK(at.bell.current() != state::taking);
}

TEST_CASE("one large burst after an idle time is not a busy log")
{
    stepped at;
    at.bell.connected(at.now);
    at.settle();
    at.read(1, 5000ms, 500);
    CHECK(at.bell.current() == state::sleeping);
}

TEST_CASE("a key that somebody else has is tried for less and less often, once a second at the least")
{
    stepped at;
    at.bell.connected(at.now);
    at.settle();
    at.read(20, 10ms, 20);
    REQUIRE(at.actions() == std::vector{action::take});
    CHECK(at.actions().empty()); // not a second time while it is under way
    int tries = 0;
    for (int i = 0; i < 1000; ++i) {
        at.bell.took(false, at.now);
        CHECK(at.bell.current() == state::taking);
        while (at.actions().empty()) {
            CHECK(at.pace() <= 100ms);
            at.read(1, 10ms, 20);
        }
        ++tries;
        if (at.now > doorbell::time(1h + 60s)) {
            break;
        }
    }
    CHECK(tries >= 60);
    CHECK(tries < 75);
}

TEST_CASE("trying ends when the log is calm again, and a try that succeeds after that is taken back")
{
    stepped at;
    at.bell.connected(at.now);
    at.settle();
    at.read(20, 10ms, 20);
    REQUIRE(at.actions() == std::vector{action::take});
    SECTION("between two tries")
    {
        at.bell.took(false, at.now);
        at.read(2, 100ms, 0);
        CHECK(at.bell.current() == state::sleeping);
        CHECK(at.actions().empty());
    }
    SECTION("during one")
    {
        at.read(2, 100ms, 0);
        CHECK(at.bell.current() == state::letting_go);
        CHECK(at.actions() == std::vector{action::release});
        at.bell.took(true, at.now);
        CHECK(at.actions().empty());
        at.bell.released();
        at.settle();
    }
}

TEST_CASE("a quiet doorbell looks every few milliseconds, at most a third of the time, and heeds no bell")
{
    stepped at;
    at.become_quiet();
    CHECK_FALSE(at.bell.heeds_bell());
    CHECK(at.pace() == 5ms);
    at.now += 5ms;
    at.bell.read({at.now, 50ms, 1000, {at.newest, at.newest, {}}});
    CHECK(at.pace() == 100ms);
}

TEST_CASE("a quiet doorbell lets changes gather while handing them out takes long, for 20 ms at most")
{
    stepped at;
    at.become_quiet();
    struct {
        std::chrono::microseconds took, handed_out;
        std::chrono::milliseconds pace;
    } const loads[] = {{1ms, 100us, 5ms}, {1ms, 4ms, 8ms}, {1ms, 900ms, 20ms}, {15ms, 900ms, 30ms}, {0ms, 0ms, 5ms}};
    for (const auto& load : loads) {
        at.now += 5ms;
        at.bell.read({at.now, load.took, 10, {at.newest, at.newest, {}}, 0us, load.handed_out});
        CHECK(at.pace() == load.pace);
        CHECK(at.bell.current() == state::quiet);
    }
}

TEST_CASE("a doorbell that sleeps heeds the next bell, however long handing out takes")
{
    stepped at;
    at.bell.connected(at.now);
    at.settle();
    at.bell.read({at.now, 0ms, 1, {at.newest, at.newest, {}}, 0us, 900ms});
    CHECK(at.bell.heeds_bell());
    CHECK(at.pace() == poll_interval);
}

TEST_CASE("a quiet doorbell lets go after a second of calm, and follows up")
{
    stepped at;
    at.become_quiet();
    CHECK(at.bell.rings());
    at.read(9, 100ms, 0);
    at.read(10, 10ms, 20); // busy once more
    at.read(9, 100ms, 0);
    CHECK(at.bell.current() == state::quiet);
    at.read(2, 100ms, 0);
    CHECK(at.bell.current() == state::letting_go);
    CHECK(at.actions() == std::vector{action::release});
    CHECK(at.bell.heeds_bell());
    CHECK(at.actions().empty()); // no id is drawn before the key is let go
    at.bell.released();
    CHECK(at.actions() == std::vector{action::mark});
    at.bell.marked(5'000'000);
    CHECK(at.bell.rings()); // what is found in the follow-up has not been rung
    at.read_with_open(4'000'000);
    CHECK(at.bell.current() == state::letting_go);
    at.read_with_open(5'000'001);
    CHECK(at.bell.current() == state::sleeping);
    CHECK_FALSE(at.bell.rings());
}

TEST_CASE("between busy and calm a doorbell stays as it is")
{
    stepped at;
    at.become_quiet();
    at.read(1000, 10ms, 7, 0); // 700 a second
    CHECK(at.bell.current() == state::quiet);
    stepped other;
    other.bell.connected(other.now);
    other.settle();
    other.read(1000, 10ms, 7, 0);
    CHECK(other.bell.current() == state::sleeping);
}

TEST_CASE("a log that becomes busy during the follow-up is taken again, and the follow-up is not forgotten")
{
    stepped at;
    at.become_quiet();
    at.read(11, 100ms, 0);
    REQUIRE(at.actions() == std::vector{action::release});
    at.bell.released();
    REQUIRE(at.actions() == std::vector{action::mark});
    at.bell.marked(5'000'000);
    at.read(20, 10ms, 20);
    REQUIRE(at.actions() == std::vector{action::take});
    at.bell.took(false, at.now);
    at.read(2, 100ms, 0);
    CHECK(at.bell.current() == state::letting_go); // somebody below 5,000,000 may be open still
    CHECK(at.bell.rings());
    at.read_with_open(5'000'001);
    CHECK(at.bell.current() == state::sleeping);
}

TEST_CASE("whatever is lost in whatever state, the follow-up comes before sleep")
{
    const auto prepare = [](stepped& at, state wanted) {
        at.bell.connected(at.now);
        if (wanted == state::letting_go) {
            at.actions();
            at.bell.marked(5'000'000);
            return;
        }
        at.settle();
        if (wanted == state::sleeping) {
            return;
        }
        at.read(20, 10ms, 20);
        at.actions();
        if (wanted == state::quiet) {
            at.bell.took(true, at.now);
        }
    };
    for (const state from : {state::sleeping, state::taking, state::quiet, state::letting_go}) {
        for (const char* const lost : {"key", "reader", "reader, back before the key is given back"}) {
            INFO(to_string(from) << ", lost: " << lost);
            const bool reader = lost != std::string_view("key");
            const bool back_first = reader && lost != std::string_view("reader");
            stepped at;
            prepare(at, from);
            REQUIRE(at.bell.current() == from);
            const bool had_key = from == state::quiet || from == state::taking;
            if (reader) {
                at.bell.disconnected();
                CHECK(at.actions() == (had_key ? std::vector{action::release} : std::vector<action>{}));
                if (!back_first) {
                    at.bell.released();
                    CHECK(at.actions().empty());
                    at.bell.connected(at.now);
                } else {
                    at.bell.connected(at.now);
                    if (had_key) {
                        CHECK(at.actions().empty());
                        at.bell.released();
                    }
                }
            } else {
                at.bell.key_lost();
                if (!had_key) {
                    CHECK(at.bell.current() == from); // it had none
                    continue;
                }
            }
            CHECK(at.bell.current() == state::letting_go);
            REQUIRE(at.actions() == std::vector{action::mark});
            at.bell.marked(9'000'000);
            at.read_with_open(8'999'999);
            CHECK(at.bell.current() == state::letting_go);
            at.read_with_open(9'000'001);
            CHECK(at.bell.current() == state::sleeping);
        }
    }
}

TEST_CASE("while a lost session may hold the key still, no id is drawn, and it is looked at again with each read")
{
    stepped at;
    at.become_quiet();
    at.bell.key_lost();
    for (int i = 0; i < 3; ++i) {
        REQUIRE(at.actions() == std::vector{action::mark});
        at.bell.marked(std::nullopt);
        CHECK(at.actions().empty());
        at.read(1, 5ms, 1);
        CHECK(at.bell.current() == state::letting_go);
    }
    at.settle();
}

TEST_CASE("an answer that comes too late changes nothing, but a key that nobody wants is given back")
{
    stepped at;
    at.become_quiet();
    at.bell.key_lost();
    at.settle();
    at.bell.released();
    at.bell.took(false, at.now);
    CHECK(at.bell.current() == state::sleeping);
    at.bell.took(true, at.now);
    CHECK(at.bell.current() == state::letting_go);
    CHECK(at.actions() == std::vector{action::release});
}
