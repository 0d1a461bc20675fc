#include "sql/captured.hpp"
#include "support/eventually.hpp"

using namespace rowcast::test;
using rowcast::support::database;
using rowcast::support::with_rowcast;

namespace {

void make_log(const database& db, int transactions, int rows)
{
    db.execute("create table if not exists t (id serial primary key, v text); select rowcast.watch('t', notify => true)");
    for (int i = 0; i < transactions; ++i)
        db.execute("insert into t (v) select 'x' from generate_series(1, " + std::to_string(rows) + ")");
}

// A snapshot's xmin counts the transactions of all databases, those of tests that run beside this one too.
bool settled(const database& db, const std::string& xid = "(select xid from rowcast.change_log order by xid desc limit 1)")
{
    return rowcast::support::eventually(
        [&] { return db.execute("select pg_snapshot_xmin(pg_current_snapshot()) > " + xid)[0][0].as<bool>(); });
}

int remaining(const database& db)
{
    return db.execute("select count(*) from rowcast.change_log")[0][0].as<int>();
}

}

// Serial: an open transaction of another test holds back what may be removed, though it is in another database.
TEST_CASE("expire removes whole transactions, oldest first, and remembers the highest", "[serial]")
{
    const database db{with_rowcast};
    make_log(db, 5, 60);
    REQUIRE(settled(db));
    const std::string last = db.execute("select xid from rowcast.change_log order by xid desc limit 1")[0][0].c_str();
    const auto batch = db.execute("select * from rowcast.expire('0', null, 150)")[0];
    CHECK(batch["removed"].as<int>() == 120);
    CHECK(batch["more"].as<bool>());
    CHECK(db.execute("select from rowcast.settings where expired_xid < (select xid from rowcast.change_log order by xid limit 1) and expired_xid > '0'").size() == 1);
    CHECK(db.execute("select count(distinct xid) from rowcast.change_log")[0][0].as<int>() == 3);
    while (db.execute("select more from rowcast.expire('0', null, 150)")[0][0].as<bool>()) {
    }
    CHECK(remaining(db) == 0);
    CHECK(std::string(db.execute("select expired_xid from rowcast.settings")[0][0].c_str()) == last);
}

TEST_CASE("expire leaves what is young enough", "[serial]")
{
    const database db{with_rowcast};
    make_log(db, 2, 3);
    REQUIRE(settled(db));
    CHECK(db.execute("select removed from rowcast.expire('1 hour')")[0][0].as<int>() == 0);
    db.execute("update rowcast.change_log set at = at - interval '2 hours' where xid = (select xid from rowcast.change_log order by xid limit 1)");
    CHECK(db.execute("select removed from rowcast.expire('1 hour')")[0][0].as<int>() == 3);
    CHECK(remaining(db) == 3);
}

TEST_CASE("a transaction larger than a batch goes in several, expired from the first", "[serial]")
{
    const database db{with_rowcast};
    make_log(db, 1, 350);
    REQUIRE(settled(db));
    CHECK(db.execute("select removed from rowcast.expire('0', null, 100)")[0][0].as<int>() == 100);
    CHECK(remaining(db) == 250);
    CHECK(db.execute("select from rowcast.settings where expired_xid = (select min(xid::text)::xid8 from rowcast.change_log)").size() == 1);
    int calls = 1;
    while (db.execute("select more from rowcast.expire('0', null, 100)")[0][0].as<bool>())
        ++calls;
    CHECK(remaining(db) == 0);
    CHECK(calls == 3);
}

TEST_CASE("nothing at or above the oldest running transaction is removed", "[serial]")
{
    const database db{with_rowcast};
    make_log(db, 1, 3);
    pqxx::connection connection{db.connect()};
    pqxx::work open{connection};
    open.exec("insert into t (v) values ('open')");
    make_log(db, 1, 3);
    REQUIRE(settled(db, "(select xid from rowcast.change_log order by xid limit 1)"));
    CHECK(db.execute("select removed from rowcast.expire('0')")[0][0].as<int>() == 3);
    CHECK(remaining(db) == 3);
    open.commit();
    REQUIRE(settled(db));
    CHECK(db.execute("select removed from rowcast.expire('0')")[0][0].as<int>() == 4);
}

TEST_CASE("a log larger than allowed shrinks to its size, estimated over live rows", "[serial]")
{
    const database db{with_rowcast};
    make_log(db, 0, 0);
    const auto make = [&](int transactions) {
        for (int i = 0; i < transactions; ++i)
            db.execute("insert into t (v) select repeat(md5(g::text), 10) from generate_series(1, 100) g");
    };
    const auto bytes = [&] { return db.execute("select rowcast.log_bytes()")[0][0].as<long>(); };
    make(60);
    CHECK(bytes() > 60 * 100 * 320);
    CHECK(bytes() < 60 * 100 * 800);

    // Of 200 pages and fewer the sample is all: nothing below depends on chance.
    db.execute("truncate rowcast.change_log");
    make(30);
    REQUIRE(db.execute("select pg_relation_size('rowcast.change_log') <= 200 * 8192")[0][0].as<bool>());
    const long before = bytes();
    REQUIRE(settled(db));
    while (db.execute("select more from rowcast.expire('1 day', " + std::to_string(before / 2) + ", 500)")[0][0].as<bool>()) {
    }
    CHECK(bytes() <= before / 2 + before / 40);
    CHECK(bytes() > before / 3);
    // Dead rows do not count, so that a second look removes nothing more.
    CHECK(db.execute("select removed from rowcast.expire('1 day', " + std::to_string(before / 2 + before / 20) + ", 500)")[0][0].as<int>() == 0);
}

TEST_CASE("only one bridge at a time removes", "[serial]")
{
    const database db{with_rowcast};
    make_log(db, 2, 3);
    REQUIRE(settled(db));
    pqxx::connection connection{db.connect()};
    pqxx::work other{connection};
    CHECK(other.exec("select removed from rowcast.expire('0')")[0][0].as<int>() == 6);
    CHECK(db.execute("select removed from rowcast.expire('0')")[0][0].as<int>() == 0);
    other.abort();
    CHECK(db.execute("select removed from rowcast.expire('0')")[0][0].as<int>() == 6);
}

TEST_CASE("expire refuses ages and sizes that make no sense")
{
    const database db{with_rowcast};
    const auto arguments = GENERATE(as<std::string>{}, "null", "'-1 hour'", "'1 hour', -1", "'1 hour', 1, 0", "'1 hour', 1, null");
    CHECK_THAT(refusal(db, "select rowcast.expire(" + arguments + ")"), Catch::Contains("must not be negative"));
}

TEST_CASE("writers do not wait for an expire that is under way", "[serial]")
{
    const database db{with_rowcast};
    make_log(db, 5, 60);
    REQUIRE(settled(db));
    pqxx::connection connection{db.connect()};
    pqxx::work expiring{connection};
    CHECK(expiring.exec("select removed from rowcast.expire('0')")[0][0].as<int>() == 300);
    // Its locks are held until it commits.
    CHECK_NOTHROW(db.execute("set lock_timeout = '10ms'; set statement_timeout = '5s'; insert into t (v) values ('new'); update t set v = 'y' where id = 1;"
                             "delete from t where id = 2; truncate t; select rowcast.publish('c', 'e', '{}'); select rowcast.watch('t', notify => false)"));
    expiring.commit();
    CHECK(remaining(db) == 5);
}

TEST_CASE("expire gives up at once where it would have to wait, and removes nothing", "[serial]")
{
    const database db{with_rowcast};
    make_log(db, 2, 3);
    REQUIRE(settled(db));
    pqxx::connection connection{db.connect()};
    pqxx::work holder{connection};
    const auto lock = GENERATE(as<std::string>{}, "lock table rowcast.change_log in exclusive mode", "select from rowcast.settings for update",
                               "select from rowcast.change_log order by id desc limit 1 for update");
    holder.exec(lock);
    CHECK_THAT(refusal(db, "set statement_timeout = '5s'; select rowcast.expire('0')"), Catch::Contains("lock timeout"));
    holder.abort();
    CHECK(remaining(db) == 6);
}
