#include "postgres/follower.hpp"

#include "postgres/recorder.hpp"
#include "support/database.hpp"
#include "support/recorder.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace rowcast;
using namespace std::chrono_literals;
using rowcast::support::database;
using rowcast::support::with_rowcast;
using rowcast::test::recorder;

namespace {

void watch(const database& db, const std::string& table, const std::string& definition = "(id int primary key, v text)")
{
    db.execute("create table " + table + definition + "; select rowcast.watch('" + table + "', notify => true)");
}

// A poll that nobody waits for: what arrives has been rung for.
postgres::follower_options never_polling(const database& db)
{
    postgres::follower_options options;
    options.connection.url = db.url();
    options.poll_interval = 1h;
    return options;
}

} // namespace

TEST_CASE("a follower delivers a committed change when the bell rings, without waiting for a poll")
{
    const database db{with_rowcast};
    watch(db, "t");
    recorder got;
    const postgres::follower follower{never_polling(db), got.callbacks(), got.sink()};
    got.wait_for_start();
    db.execute("insert into t values (1, 'a')");
    got.wait_for_changes(1);
    db.execute("update t set v = 'b'");
    got.wait_for_changes(2);
    CHECK(got.beginnings == std::vector<std::string>{"started"});
    CHECK(got.changes[0].op == core::operation::insert);
    CHECK(got.changes[0].table == "public.t");
    CHECK(got.changes[0].after == R"({"id":1,"v":"a"})");
    CHECK(got.changes[0].at.size() == std::string("2026-11-21T10:00:00.123456Z").size());
    CHECK(got.changes[1].before == R"({"id":1,"v":"a"})");
    CHECK(got.changes[1].after == R"({"id":1,"v":"b"})");
}

TEST_CASE("where commits do not wait for the disk, the next one is flushed at once, without waiting for others to do it")
{
    const database db{with_rowcast};
    watch(db, "t");
    recorder got;
    rowcast::support::recorder seen;
    const postgres::follower follower{never_polling(db), got.callbacks(), seen.sink()};
    got.wait_for_start();
    // Now and then somebody else flushes first.
    std::vector<observe::flush_forced> forced;
    const auto at_once = [](const observe::flush_forced& each) { return each.waited == 0us; };
    for (std::size_t n = 1; n <= 1000 && std::none_of(forced.begin(), forced.end(), at_once); ++n) {
        db.execute("set synchronous_commit = off; insert into t values (" + std::to_string(n) + ", 'x')");
        got.wait_for_changes(n);
        forced = seen.all<observe::flush_forced>();
    }
    REQUIRE_FALSE(forced.empty());
    CHECK(forced.front().waited >= postgres::flush_patience);
    CHECK(std::any_of(forced.begin(), forced.end(), at_once));
}

TEST_CASE("a transaction that commits late is delivered late and whole, one that is rolled back never")
{
    const database db{with_rowcast};
    watch(db, "t");
    recorder got;
    const postgres::follower follower{never_polling(db), got.callbacks(), got.sink()};
    got.wait_for_start();

    pqxx::connection sleeper = db.connect();
    pqxx::work sleeping{sleeper};
    sleeping.exec("insert into t values (1, 'sleeper')");
    db.execute("begin; insert into t values (2, 'gone'); rollback");
    db.execute("begin; insert into t values (3, 'a'); savepoint s; insert into t values (4, 'gone'); rollback to s; "
               "insert into t values (5, 'b'); commit");
    got.wait_for_changes(2);
    sleeping.exec("insert into t values (6, 'sleeper')");
    db.execute("insert into t values (7, 'c')");
    got.wait_for_changes(3);
    sleeping.commit();
    got.wait_for_changes(5);

    std::vector<std::string> rows;
    for (const auto& each : got.changes) {
        rows.push_back(each.after.substr(6, 1));
    }
    CHECK(rows == std::vector<std::string>{"3", "5", "7", "1", "6"});
    CHECK(got.changes[3].xid == got.changes[4].xid);
}

TEST_CASE("a prepared transaction is delivered when it is committed")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key); select rowcast.watch('t', notify => false)");
    recorder got;
    postgres::follower follower{never_polling(db), got.callbacks(), got.sink()};
    got.wait_for_start();
    db.execute("begin; insert into t values (1); prepare transaction 'p'");
    db.execute("insert into t values (2)");
    follower.wake();
    got.wait_for_changes(1);
    db.execute("commit prepared 'p'");
    follower.wake();
    got.wait_for_changes(2);
    CHECK(got.changes[0].after == R"({"id":2})");
    CHECK(got.changes[1].after == R"({"id":1})");
}

TEST_CASE("a transaction comes after the one whose change it overwrote, whatever their ids")
{
    const database db{with_rowcast};
    watch(db, "t");
    db.execute("insert into t values (1, '')");
    recorder got;
    std::mutex gate;
    std::unique_lock closed{gate};
    got.at_each_page = [&] { const std::lock_guard pass{gate}; };
    postgres::follower follower{never_polling(db), got.callbacks(), got.sink()};
    got.wait_for_start();
    db.execute("insert into t values (2, '')"); // holds the follower, so that the rest falls into one step

    // The first to log is the last to commit, after having waited for the other's row.
    pqxx::connection one = db.connect();
    pqxx::work early{one};
    early.exec("insert into t values (3, 'early')");
    db.execute("update t set v = 'first' where id = 1");
    early.exec("update t set v = 'second' where id = 1");
    early.commit();
    closed.unlock();
    got.wait_for_changes(4);
    CHECK(got.changes[1].after == R"({"id":1,"v":"first"})");
    CHECK(got.changes[2].after == R"({"id":3,"v":"early"})");
    CHECK(got.changes[3].after == R"({"id":1,"v":"second"})");
}

TEST_CASE("messages and plain notifications are passed on")
{
    const database db{with_rowcast};
    recorder got;
    auto options = never_polling(db);
    options.notify_channels = {"Odd \"channel\""};
    const postgres::follower follower{options, got.callbacks(), got.sink()};
    got.wait_for_start();
    REQUIRE(rowcast::support::eventually([&] { return follower.now().connected; }));
    db.execute("select rowcast.publish('room:42', 'typing', '{\"user\": 7}')");
    got.wait_for_changes(1);
    CHECK(got.changes[0].op == core::operation::message);
    CHECK(got.changes[0].event == "typing");
    CHECK(got.changes[0].payload == R"({"user": 7})");
    db.execute("notify \"Odd \"\"channel\"\"\", 'hello'");
    got.wait_until([&] { return got.messages.size() == 1; }, "the notification");
    CHECK(got.messages[0] == "Odd \"channel\":hello");
}

TEST_CASE("a row of the log that nobody can read becomes a resync of its table")
{
    const database db{with_rowcast};
    recorder got;
    const postgres::follower follower{never_polling(db), got.callbacks(), got.sink()};
    got.wait_for_start();
    db.execute("insert into rowcast.change_log (call, table_name, op, new) values (1, 'public.x', 'INSERT', '[1]'),"
               " (1, 'public.y', 'EXPLODE', '{}'), (1, 'public.z', 'UPDATE', '{}'), (1, null, 'MESSAGE', '1');"
               "insert into rowcast.change_log (call, table_name, op, new) values (1, 'public.deep', 'INSERT',"
               " ('{\"a\":' || repeat('[', 600) || repeat(']', 600) || '}')::json); notify rowcast");
    got.wait_for_changes(5);
    for (const auto& each : got.changes) {
        CHECK(each.op == core::operation::resync);
        CHECK(each.event == "bad_change");
    }
    CHECK(got.changes[1].table == "public.y");
    CHECK(got.count<observe::bad_change>() == 5);
}

TEST_CASE("a transaction larger than a page comes in pages of which each is bounded")
{
    const database db{with_rowcast};
    watch(db, "t");
    recorder got;
    auto options = never_polling(db);
    options.pages.changes = 100;
    options.pages.bytes = 50'000;
    const postgres::follower follower{options, got.callbacks(), got.sink()};
    got.wait_for_start();
    db.execute("begin; insert into t select n, 'x' from generate_series(1, 2500) n;"
               "insert into t select n, repeat('y', 20000) from generate_series(2501, 2510) n; commit");
    got.wait_for_changes(2510);
    CHECK(got.largest_page == 100);
    CHECK(got.positions.size() > 25 + 3);
    CHECK(got.positions[7].inside);
    CHECK_FALSE(got.positions.back().inside);
}

TEST_CASE("a follower that is stopped ends at once, also while it waits for a server that does not exist")
{
    postgres::follower_options options;
    options.connection.url = "postgresql://nobody@127.0.0.1:1/nowhere";
    recorder got;
    postgres::follower follower{options, got.callbacks(), got.sink()};
    got.wait_until([&] { return !got.observations.empty(); }, "a failure");
    const auto& lost = std::get<observe::database_lost>(got.observations.front());
    CHECK_THAT(lost.reason,
               Catch::Contains("127.0.0.1:1/nowhere as user nobody") && Catch::Contains("Is PostgreSQL running"));
    follower.stop();
    CHECK_FALSE(follower.now().connected);
}
