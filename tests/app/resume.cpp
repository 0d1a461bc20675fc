#include <numeric>

#include "app/running_bridge.hpp"
#include "postgres/embedded_sql.hpp"
#include "support/database.hpp"
#include "support/dump.hpp"
#include "support/postgres_cluster.hpp"
#include "support/subscriber.hpp"

namespace rowcast {
namespace {

using namespace std::chrono_literals;
using support::database;
using support::every_way;
using support::name_of;
using support::postgres_cluster;
using support::subscriber;
using support::way;
using support::with_rowcast;
using test::running_bridge;

const std::string watched = "create table t (id int primary key, v text); select rowcast.watch('t', notify => true);";
// A bridge with a poll_interval of hours then reads only at `notify rowcast`.
const std::string watched_quietly = "create table t (id int primary key, v text); select rowcast.watch('t', notify => false);";

using execute = std::function<void(const std::string& sql)>;

execute on(const database& db)
{
    return [&db](const std::string& sql) { db.execute(sql); };
}

execute on(const postgres_cluster& cluster)
{
    return [&cluster](const std::string& sql) {
        pqxx::connection connection = cluster.connect();
        pqxx::nontransaction{connection}.exec(sql);
    };
}

void insert(const execute& run, int from, int to)
{
    run("insert into t select n from generate_series(" + std::to_string(from) + ", " + std::to_string(to) + ") n");
}

// Each in a transaction of its own.
void insert_each(const execute& run, int from, int to)
{
    for (int id = from; id <= to; ++id) {
        insert(run, id, id);
    }
}

std::vector<int> range(int from, int to)
{
    std::vector<int> ids(static_cast<std::size_t>(to - from + 1));
    std::iota(ids.begin(), ids.end(), from);
    return ids;
}

std::string cursor_now(const running_bridge& of)
{
    return subscriber(way::polling, of.port(), {}).cursor();
}

// A cursor of a bridge that has handed out everything up to the row `last`.
std::string cursor_after(const running_bridge& of, const execute& run, int last)
{
    subscriber client(way::websocket, of.port(), {});
    insert(run, last, last);
    support::ids_until(client, last);
    return client.cursor();
}

constexpr int mark = 1'000'000;

// Gives the cursor back in every way. Each must be answered alike, and then bring what was missed (nothing, after a
// reset), what is committed from then on (the row `mark`), and nothing else.
void check(std::uint16_t port, const std::string& cursor, const std::string& answer, std::vector<int> missed, const execute& run,
           const execute& afterwards = [](const std::string&) {})
{
    std::vector<std::pair<way, subscriber>> clients;
    for (const way how : every_way) {
        INFO(name_of(how));
        clients.emplace_back(how, subscriber(how, port, {.table = "public.t", .after = cursor}));
        CHECK(clients.back().second.answer() == answer);
    }
    insert(run, mark, mark);
    afterwards("");
    missed.push_back(mark);
    for (auto& [how, client] : clients) {
        INFO(name_of(how));
        CHECK(support::ids_until(client, mark) == missed);
    }
}

} // namespace

TEST_CASE("A cursor of a moment ago resumes from the ring")
{
    const database db{with_rowcast};
    db.execute(watched);
    const running_bridge bridge(db.url());
    const std::string cursor = cursor_after(bridge, on(db), 1);
    insert_each(on(db), 2, 30);
    check(bridge.port(), cursor, "resumed", range(2, 30), on(db));
    CHECK(bridge.got.count<observe::log_read>() == 0);
}

TEST_CASE("A cursor that the ring no longer reaches resumes from the log")
{
    const database db{with_rowcast};
    db.execute(watched + "create table ballast (id serial primary key, v text); select rowcast.watch('ballast', notify => true)");
    const running_bridge bridge(db.url());
    const std::string cursor = cursor_after(bridge, on(db), 1);
    subscriber reader(way::websocket, bridge.port(), {});
    insert_each(on(db), 2, 20);
    // More than the ring holds.
    for (int i = 0; i < 10; ++i) {
        db.execute("insert into ballast (v) select repeat('x', 1000000) from generate_series(1, 8)");
    }
    insert_each(on(db), 21, 30);
    support::ids_until(reader, 30); // now the bridge has come so far
    check(bridge.port(), cursor, "resumed", range(2, 30), on(db));
    CHECK(bridge.got.count<observe::log_read>() > 0);
}

TEST_CASE("A cursor of before a restart of the bridge resumes from the log")
{
    const database db{with_rowcast};
    db.execute(watched);
    std::string cursor;
    {
        const running_bridge before(db.url());
        cursor = cursor_after(before, on(db), 1);
        insert_each(on(db), 2, 10);
    }
    insert_each(on(db), 11, 20);
    const running_bridge after(db.url());
    insert_each(on(db), 21, 30);
    check(after.port(), cursor, "resumed", range(2, 30), on(db));
}

TEST_CASE("A cursor that saw a transaction open brings what it commits later, and what had committed meanwhile only once")
{
    const database db{with_rowcast};
    db.execute(watched);
    pqxx::connection connection = db.connect();
    pqxx::work open(connection);
    open.exec("insert into t values (100)");
    const running_bridge here(db.url());
    const std::string cursor = cursor_after(here, on(db), 1);
    insert_each(on(db), 2, 5);
    open.exec("insert into t values (101)");
    open.commit();
    insert_each(on(db), 6, 8);
    SECTION("from the ring")
    {
        check(here.port(), cursor, "resumed", {2, 3, 4, 5, 100, 101, 6, 7, 8}, on(db));
    }
    SECTION("from the log of a bridge that has just come")
    {
        const running_bridge there(db.url());
        check(there.port(), cursor, "resumed", {2, 3, 4, 5, 100, 101, 6, 7, 8}, on(db));
    }
}

TEST_CASE("A cursor of a bridge that is behind resumes at one that is ahead, between two of its batches")
{
    const database db{with_rowcast};
    db.execute(watched_quietly);
    const running_bridge ahead(db.url(), 20ms);
    const running_bridge behind(db.url(), 1h);
    insert_each(on(db), 1, 5);
    db.execute("notify rowcast");
    subscriber client(way::websocket, ahead.port(), {});
    insert_each(on(db), 6, 6);
    support::ids_until(client, 6);
    const std::string cursor = cursor_now(behind);
    insert_each(on(db), 7, 12);
    support::ids_until(client, 12);
    // `behind` may have read before 6 or, by the bell, after it: what it has is what it says.
    subscriber first(way::websocket, ahead.port(), {.table = "public.t", .after = cursor});
    const auto missed = support::ids_until(first, 12);
    CHECK(missed.front() <= 7);
    CHECK(missed == range(missed.front(), 12));
    check(ahead.port(), cursor, "resumed", missed, on(db));
}

TEST_CASE("A cursor of a bridge that is ahead resumes at one that is behind, which catches up at once")
{
    const database db{with_rowcast};
    db.execute(watched_quietly);
    const running_bridge ahead(db.url(), 20ms);
    const running_bridge behind(db.url(), 1h);
    const std::string cursor = cursor_after(ahead, on(db), 1);
    insert_each(on(db), 2, 5);
    // Nobody rings: `behind` reads because it is asked for something that it does not have.
    check(behind.port(), cursor, "resumed", range(2, 5), on(db), [&](const std::string&) { db.execute("notify rowcast"); });
}

// Serial: an open transaction of another test holds retention back.
TEST_CASE("A cursor that retention has passed has expired, unless the ring still has what was removed", "[serial]")
{
    const database db{with_rowcast};
    db.execute(watched);
    const running_bridge here(db.url());
    const std::string cursor = cursor_after(here, on(db), 1);
    subscriber reader(way::websocket, here.port(), {});
    insert_each(on(db), 2, 10);
    support::ids_until(reader, 10); // the bridge has read them, before they are removed
    REQUIRE(support::eventually([&] {
        db.execute("select rowcast.expire('0')");
        return db.execute("select from rowcast.change_log").empty();
    }));
    SECTION("here")
    {
        check(here.port(), cursor, "resumed", range(2, 10), on(db));
    }
    SECTION("at a bridge that has just come")
    {
        const running_bridge there(db.url());
        check(there.port(), cursor, "reset cursor_expired", {}, on(db));
    }
}

// Serial: an open transaction of another test holds retention back.
TEST_CASE("A cursor from before retention that missed nothing has not expired", "[serial]")
{
    const database db{with_rowcast};
    db.execute(watched);
    std::string cursor;
    {
        const running_bridge here(db.url());
        insert_each(on(db), 1, 10);
        REQUIRE(support::eventually([&] { // its snapshot has everything
            cursor = cursor_after(here, on(db), static_cast<int>(20 + here.got.size()));
            return db.execute("select from rowcast.change_log where xid >= pg_snapshot_xmin(pg_current_snapshot())").empty();
        }));
        REQUIRE(support::eventually([&] {
            db.execute("select rowcast.expire('0')");
            return db.execute("select from rowcast.change_log").empty();
        }));
        cursor = cursor_now(here);
    }
    const running_bridge there(db.url());
    check(there.port(), cursor, "resumed", {}, on(db));
}

TEST_CASE("A cursor of another database is foreign")
{
    const database other{with_rowcast};
    other.execute(watched);
    std::string cursor;
    {
        const running_bridge bridge(other.url());
        cursor = cursor_after(bridge, on(other), 1);
    }
    const database db{with_rowcast};
    db.execute(watched);
    insert_each(on(db), 1, 5);
    const running_bridge bridge(db.url());
    check(bridge.port(), cursor, "reset cursor_foreign", {}, on(db));
}

TEST_CASE("What is not a cursor is malformed")
{
    const database db{with_rowcast};
    db.execute(watched);
    const running_bridge bridge(db.url());
    const std::string good = cursor_after(bridge, on(db), 1);
    const auto bad = GENERATE_COPY(as<std::string>{}, "nonsense", "12", "AAAA", good + "A", good.substr(0, good.size() - 1), good + good,
                                   "!" + good, std::string(3000, 'A'), "-" + good.substr(1));
    INFO(bad);
    check(bridge.port(), bad, "reset cursor_malformed", {}, on(db));
}

TEST_CASE("A cursor that somebody has changed is never believed")
{
    const database db{with_rowcast};
    db.execute(watched);
    const running_bridge bridge(db.url());
    const std::string good = cursor_after(bridge, on(db), 1);
    insert_each(on(db), 2, 3);
    for (std::size_t i = 0; i < good.size(); ++i) {
        std::string changed = good;
        changed[i] = changed[i] == 'A' ? 'Q' : 'A';
        INFO(changed);
        for (const way how : {way::websocket, way::sse_last_event_id, way::polling}) {
            const std::string answer = subscriber(how, bridge.port(), {.table = "public.t", .after = changed}).answer();
            CHECK((answer == "reset cursor_malformed" || answer == "reset cursor_foreign" || answer == "reset permissions_changed"));
        }
    }
}

TEST_CASE("A cursor of a database that was dumped is foreign to what was restored elsewhere")
{
    const database original{with_rowcast};
    if (!support::dump::possible(original)) {
        return;
    }
    original.execute(watched);
    std::string cursor;
    {
        const running_bridge bridge(original.url());
        cursor = cursor_after(bridge, on(original), 1);
        insert_each(on(original), 2, 3);
    }
    const database restored;
    support::dump(original).restore(restored);
    const running_bridge bridge(restored.url());
    check(bridge.port(), cursor, "reset cursor_foreign", {}, on(restored));
}

TEST_CASE("A cursor is foreign to a database that was emptied and restored to what it was before the cursor")
{
    const database db{with_rowcast};
    if (!support::dump::possible(db)) {
        return;
    }
    db.execute(watched + "insert into t values (1); select from rowcast.claim_identity()");
    const support::dump before(db);
    const auto restore = [&](const std::string& how) {
        before.restore(db, how + " -c 'set client_min_messages = warning' -c 'drop table t' -c 'drop schema rowcast cascade'");
    };
    std::string cursor;
    SECTION("while no bridge ran")
    {
        {
            const running_bridge bridge(db.url());
            cursor = cursor_after(bridge, on(db), 2); // undone by the restore
        }
        restore("");
        const running_bridge bridge(db.url());
        check(bridge.port(), cursor, "reset cursor_foreign", {}, on(db));
    }
    SECTION("under a bridge that notices nothing until it reads")
    {
        const running_bridge bridge(db.url(), 1h);
        cursor = cursor_after(bridge, on(db), 2);
        subscriber live(way::websocket, bridge.port(), {});
        subscriber stream(way::sse, bridge.port(), {});
        restore("--single-transaction");
        db.execute("notify rowcast");
        CHECK(live.next().resync == "log_renewed");
        CHECK(stream.next().resync == "log_renewed");
        check(bridge.port(), cursor, "reset cursor_foreign", {}, on(db));
    }
    SECTION("under a bridge that finds the log gone for a while")
    {
        const running_bridge bridge(db.url());
        subscriber live(way::websocket, bridge.port(), {});
        subscriber stream(way::sse, bridge.port(), {});
        restore("");
        CHECK(live.next().resync);
        CHECK(stream.next().resync);
        REQUIRE(support::eventually([&] { return bridge.not_ready().empty(); }));
        CHECK(subscriber(way::websocket, bridge.port(), {.table = "public.t", .after = live.cursor()}).answer() == "reset cursor_foreign");
    }
}

TEST_CASE("After a fail-over to a standby that had lost transactions, cursors of before are foreign")
{
    postgres_cluster primary;
    on(primary)(std::string(postgres::install_sql));
    on(primary)("set search_path = public; " + watched);
    const auto standby = postgres_cluster::standby_of(primary);
    std::string cursor;
    {
        const running_bridge bridge(primary.url());
        insert_each(on(primary), 1, 3);
        REQUIRE(support::eventually([&] {
            pqxx::connection connection = standby->connect();
            return pqxx::nontransaction{connection}.exec("select from t").size() == 3;
        }));
        // Cut off: what is committed from now on, and delivered, the standby never gets.
        on(*standby)("alter system set primary_conninfo = ''");
        on(*standby)("select pg_reload_conf()");
        REQUIRE(support::eventually([&] {
            pqxx::connection connection = primary.connect();
            return pqxx::nontransaction{connection}.exec("select from pg_stat_replication").empty();
        }));
        cursor = cursor_after(bridge, on(primary), 4);
    }
    primary.stop();
    standby->promote();
    on(*standby)("insert into t values (50)");
    const running_bridge bridge(standby->url());
    check(bridge.port(), cursor, "reset cursor_foreign", {}, on(*standby));
}

// Serial: an open transaction of another test holds retention back.
TEST_CASE("A client that drops inside a large transaction resumes inside it", "[serial]")
{
    const database db{with_rowcast};
    db.execute(watched);
    constexpr int rows = 4'000;
    const way how = GENERATE(way::websocket, way::polling);
    INFO(name_of(how));
    std::string cursor;
    int seen = 0;
    auto here = std::make_unique<running_bridge>(db.url());
    {
        subscriber client(how, here->port(), {});
        db.execute("insert into t select n, repeat('x', 500) from generate_series(1, " + std::to_string(rows) + ") n");
        for (bool enough = false; !enough;) {
            const auto part = client.next();
            for (const auto& event : part.events) {
                CHECK(event.at("key").at("id") == ++seen);
            }
            enough = seen > 1000;
            REQUIRE(part.more);
        }
        cursor = client.cursor();
    }
    insert_each(on(db), rows + 1, rows + 5);
    const auto rest = range(seen + 1, rows + 5);
    SECTION("at the same bridge")
    {
        check(here->port(), cursor, "resumed", rest, on(db));
    }
    SECTION("at another one that saw it too")
    {
        const running_bridge there(db.url());
        check(there.port(), cursor, "resumed", rest, on(db));
    }
    SECTION("after a restart")
    {
        here.reset();
        const running_bridge again(db.url());
        check(again.port(), cursor, "resumed", rest, on(db));
    }
    SECTION("when retention has passed, it cannot")
    {
        here.reset();
        REQUIRE(support::eventually([&] {
            db.execute("select rowcast.expire('0')");
            return db.execute("select from rowcast.change_log").empty();
        }));
        const running_bridge again(db.url());
        check(again.port(), cursor, "reset cursor_expired", {}, on(db));
    }
}

TEST_CASE("A cursor waits for a bridge that cannot reach PostgreSQL, and is answered when it can")
{
    postgres_cluster cluster;
    on(cluster)(std::string(postgres::install_sql));
    on(cluster)("set search_path = public; " + watched_quietly);
    const running_bridge ahead(cluster.url(), 20ms);
    const running_bridge behind(cluster.url(), 1h);
    const std::string cursor = cursor_after(ahead, on(cluster), 1);
    cluster.stop();
    std::vector<std::thread> clients;
    std::vector<std::string> answers(3);
    std::vector<std::vector<int>> got(3);
    constexpr way waiting[] = {way::websocket, way::sse, way::sse_last_event_id};
    for (std::size_t i = 0; i < 3; ++i) {
        clients.emplace_back([&, i] {
            try {
                subscriber client(waiting[i], behind.port(), {.table = "public.t", .after = cursor}, 60s);
                answers[i] = client.answer();
                got[i] = support::ids_until(client, 2);
            } catch (const std::exception& error) {
                answers[i] = error.what();
            }
        });
    }
    REQUIRE(support::eventually([&] { return behind.got.count<observe::session_opened>() >= 3; }));
    cluster.start();
    insert(on(cluster), 2, 2);
    on(cluster)("notify rowcast");
    for (std::thread& each : clients) {
        each.join();
    }
    for (std::size_t i = 0; i < 3; ++i) {
        INFO(name_of(waiting[i]));
        CHECK(answers[i] == "resumed");
        CHECK(got[i] == std::vector<int>{2});
    }
}

} // namespace rowcast
