#include "postgres/recent_past.hpp"

#include "postgres/follower.hpp"
#include "postgres/recorder.hpp"
#include "support/database.hpp"

#include <catch2/catch.hpp>

using namespace rowcast;
using rowcast::support::database;
using rowcast::support::with_rowcast;

namespace {

struct log_of {
    explicit log_of(const database& of) : db(of), on(postgres::connection_options{.url = of.url(), .read_only = false})
    {
        postgres::claim_identity(on); // it is a copy, whose log the first claim empties
        postgres::prepare_log_statement(on);
    }

    // Each commits alone.
    void commit(int from, int to, const std::string& rows = "1")
    {
        for (int i = from; i <= to; ++i) {
            db.execute("select rowcast.publish('c', '" + std::to_string(i) + "', '{}') from generate_series(1, " + rows + ")");
        }
    }

    core::snapshot now() const { return core::snapshot::parse(db.execute("select pg_current_snapshot()")[0][0].c_str()).value(); }

    std::optional<postgres::recent_past> read(postgres::recent_past_limits most = {})
    {
        return postgres::read_recent_past(on, tell, most);
    }

    const database& db;
    postgres::connection on;
    observe::sink tell = [](const observe::observation&) {};
};

// The messages' events, those of one transaction behind each other once: "1 2 3".
std::string events(const postgres::recent_past& past)
{
    std::string all;
    std::string last;
    for (const auto& page : past.pages) {
        CHECK(page->before == past.from);
        CHECK(page->after == past.pages.back()->after);
        CHECK(page->complete == (page == past.pages.back()));
        for (const core::change& each : page->changes) {
            if (each.event != last) {
                all += (all.empty() ? "" : " ") + each.event;
                last = each.event;
            }
        }
    }
    return all;
}

} // namespace

TEST_CASE("the recent past is every change of the log, where all of it fits, for cursors of any age", "[serial]")
{
    const database db{with_rowcast};
    log_of log(db);
    const core::snapshot before = log.now();
    log.commit(1, 3);
    const auto past = log.read();
    REQUIRE(past);
    CHECK(events(*past) == "1 2 3");
    CHECK(before.includes(past->from));
    REQUIRE(log.read()); // the connection goes on
}

TEST_CASE("the recent past reaches back as far as changes fit, whole transactions only", "[serial]")
{
    const database db{with_rowcast};
    log_of log(db);
    log.commit(1, 2);
    const core::snapshot between = log.now();
    log.commit(3, 4, "4");
    log.commit(5, 5);

    const auto some = log.read({.changes = 8}); // half of 3 too, which tells that it is not whole
    REQUIRE(some);
    CHECK(events(*some) == "4 5");
    CHECK(!between.includes(some->from));
    const auto more = log.read({.changes = 10});
    REQUIRE(more);
    CHECK(events(*more) == "3 4 5");
    CHECK(between.includes(more->from));
    const auto one = log.read({.bytes = 1000});
    REQUIRE(one);
    CHECK(events(*one) == "5");
    const auto none = log.read({.changes = 1}); // whether that is all of 5 is not known
    REQUIRE(none);
    CHECK(events(*none).empty());
    CHECK(!between.includes(none->from));
}

TEST_CASE("the recent past leaves to later what is open still, and names it")
{
    const database db{with_rowcast};
    log_of log(db);
    pqxx::connection other = db.connect();
    pqxx::work open{other};
    open.exec("select rowcast.publish('c', 'late', '{}')");
    log.commit(1, 1);
    db.execute("begin; select rowcast.publish('c', 'never', '{}'); rollback");
    const auto past = log.read();
    REQUIRE(past);
    CHECK(events(*past) == "1");
    open.commit();
    const auto later = log.read();
    REQUIRE(later);
    CHECK(events(*later) == "late 1"); // as it was logged
}

TEST_CASE("the recent past begins behind what retention has removed, also where that was the newest", "[serial]")
{
    const database db{with_rowcast};
    log_of log(db);
    const core::snapshot before = log.now();
    log.commit(1, 2);
    REQUIRE(support::eventually([&] { return db.execute("select removed from rowcast.expire('0')")[0][0].as<int>() == 2; }));
    const core::snapshot between = log.now();
    const auto empty = log.read();
    REQUIRE(empty);
    CHECK(events(*empty).empty());
    CHECK(between.includes(empty->from));
    CHECK(!before.includes(empty->from));
    log.commit(3, 3);
    const auto past = log.read();
    REQUIRE(past);
    CHECK(events(*past) == "3");
    CHECK(between.includes(past->from));
}

TEST_CASE("rows that compress well make the recent past shorter, not its memory larger")
{
    const database db{with_rowcast};
    log_of log(db);
    for (int i = 1; i <= 20; ++i) {
        db.execute("select rowcast.publish('c', '" + std::to_string(i) + "', to_json(repeat('x', 100000)))");
    }
    const auto past = log.read({.bytes = 1'000'000});
    REQUIRE(past);
    std::size_t memory = 0;
    for (const auto& each : past->pages) {
        memory += each->memory();
    }
    CHECK(memory < 1'000'000);
    CHECK(memory > 0);
}

TEST_CASE("a follower hands over the recent past before it starts, and goes on where that ends")
{
    const database db{with_rowcast};
    log_of log(db);
    log.commit(1, 5);
    test::recorder got;
    std::optional<postgres::recent_past> past; // before `started`, which the test waits for
    auto callbacks = got.callbacks();
    callbacks.recent = [&](postgres::recent_past before_head) {
        if (got.beginnings.empty()) {
            past = std::move(before_head);
        }
    };
    postgres::follower_options options;
    options.connection.url = db.url();
    postgres::follower follower{options, callbacks, got.sink()};
    got.wait_for_start();
    REQUIRE(past);
    CHECK(events(*past) == "1 2 3 4 5");
    log.commit(6, 6);
    follower.wake();
    got.wait_for_changes(1);
    CHECK(got.changes[0].event == "6");
    CHECK(got.steps.front().first == past->pages.back()->after);
}
