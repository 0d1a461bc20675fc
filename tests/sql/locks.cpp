#include <future>

#include "sql/captured.hpp"
#include "support/eventually.hpp"

using namespace rowcast::test;
using rowcast::support::database;
using rowcast::support::eventually;
using rowcast::support::with_rowcast;

namespace {

bool somebody_waits_for(const database& db, const std::string& mode)
{
    return !db.execute("select from pg_locks where relation = 't'::regclass and database = (select oid from pg_database where datname = current_database()) and not granted and mode = '" + mode + "'").empty();
}

}

TEST_CASE("watch waits for a long transaction in moments, between which writers pass")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key)");
    pqxx::connection busy{db.connect()};
    auto application = std::make_unique<pqxx::work>(busy);
    application->exec("insert into t values (0)");

    auto watching = std::async(std::launch::async, [&] { return refusal(db, "select rowcast.watch('t', notify => true)"); });
    REQUIRE(eventually([&] { return somebody_waits_for(db, "ShareRowExclusiveLock"); }));
    // Each of these would wait for the whole of the long transaction if watch queued for its lock.
    for (int i = 1; i <= 20; ++i) {
        pqxx::connection writer{db.connect()};
        pqxx::nontransaction work{writer};
        work.exec("set statement_timeout = '5s'");
        REQUIRE_NOTHROW(work.exec("insert into t values (" + std::to_string(i) + ")"));
    }
    CHECK(watching.wait_for(std::chrono::seconds{0}) == std::future_status::timeout);
    application->commit();
    CHECK(watching.get() == "");
    CHECK(captured_by(db, "insert into t values (99)") == lines{R"(INSERT t {"id":99})"});
}

TEST_CASE("unwatch waits like watch")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key); select rowcast.watch('t', notify => true)");
    pqxx::connection busy{db.connect()};
    auto application = std::make_unique<pqxx::work>(busy);
    application->exec("table t");
    auto ending = std::async(std::launch::async, [&] { return refusal(db, "select rowcast.unwatch('t')"); });
    REQUIRE(eventually([&] { return somebody_waits_for(db, "AccessExclusiveLock"); }));
    for (int i = 1; i <= 20; ++i) {
        pqxx::connection reader{db.connect()};
        pqxx::nontransaction work{reader};
        work.exec("set statement_timeout = '5s'");
        REQUIRE_NOTHROW(work.exec("insert into t values (" + std::to_string(i) + ")"));
    }
    application->commit();
    CHECK(ending.get() == "");
    CHECK(captured_by(db, "insert into t values (99)").empty());
}

TEST_CASE("refresh does not wait for a partition in use: it says so and does it the next time")
{
    const database db{with_rowcast};
    db.execute(R"(create table t (id int primary key) partition by range (id); select rowcast.watch('t', notify => true);
                  create table t_1 partition of t for values from (0) to (10))");
    pqxx::connection busy{db.connect()};
    pqxx::work application{busy};
    application.exec("insert into t_1 values (1)");
    CHECK(std::string(db.execute("select action from rowcast.refresh()")[0][0].c_str()) == "busy");
    application.commit();
    CHECK(std::string(db.execute("select action from rowcast.refresh()")[0][0].c_str()) == "attached");
}

TEST_CASE("watching again with other options takes no lock on the table")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key, v int); select rowcast.watch('t', notify => true)");
    pqxx::connection busy{db.connect()};
    pqxx::work application{busy};
    application.exec("insert into t values (1, 1)");
    CHECK(refusal(db, "set statement_timeout = '5s'; select rowcast.watch('t', \"except\" => '{v}', notify => true)") == "");
    application.commit();
    CHECK(captured_by(db, "insert into t values (2, 2)") == lines{R"(INSERT t {"id":2})"});
}
