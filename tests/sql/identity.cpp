#include "sql/captured.hpp"
#include "support/dump.hpp"

using namespace rowcast::test;
using rowcast::support::database;
using rowcast::support::dump;
using rowcast::support::with_database;
using rowcast::support::with_rowcast;

namespace {

pqxx::row claim(const database& db)
{
    return db.execute("select *, length(cursor_key) as key_length from rowcast.claim_identity()")[0];
}

}

TEST_CASE("a log keeps its identity as long as it stays where it is")
{
    const database db{with_rowcast};
    claim(db);
    const auto first = claim(db);
    db.execute("create table t (id int primary key); select rowcast.watch('t', notify => true); insert into t values (1)");
    const auto second = claim(db);
    CHECK_FALSE(second["renewed"].as<bool>());
    for (const char* same : {"log_id", "timeline", "cursor_key", "lock_class", "lock_key", "expired_xid"})
        CHECK(std::string(first[same].c_str()) == second[same].c_str());
    CHECK(second["key_length"].as<int>() == 32);
    CHECK(second["timeline"].as<int>() == 1);
    CHECK(captured(db).size() == 1);
}

TEST_CASE("a copy of the database gets an identity and keys of its own, an empty log, and goes on capturing")
{
    const database original{with_rowcast};
    claim(original);
    original.execute("create table t (gone int, id int primary key, v int, secret int); alter table t drop gone; select rowcast.watch('t', \"except\" => '{secret}', notify => true);"
                     "insert into t values (1, 1); update rowcast.settings set expired_xid = '5'");
    const auto before = claim(original);
    const database copy;
    const std::string name = copy.name() + "_copy";
    copy.execute("create database " + name + " template " + original.name());
    {
        pqxx::connection connection{with_database(copy.url(), name)};
        pqxx::nontransaction work{connection};
        const auto after = work.exec("select * from rowcast.claim_identity()")[0];
        CHECK(after["renewed"].as<bool>());
        for (const char* other : {"log_id", "cursor_key", "lock_key", "expired_xid"})
            CHECK(std::string(before[other].c_str()) != after[other].c_str());
        CHECK(work.exec("table rowcast.change_log").empty());
        CHECK_FALSE(work.exec("select renewed from rowcast.claim_identity()")[0][0].as<bool>());
        CHECK(work.exec("select * from rowcast.refresh()").empty());
        work.exec("insert into t values (2, 2, 2)");
        CHECK(std::string(work.exec("select new from rowcast.change_log")[0][0].c_str()) == R"({"id":2,"v":2})");
        // The triggers ring with the new key.
        CHECK(work.exec("select from pg_proc, rowcast.settings where proname = 'capture_1' and position(lock_key::text in prosrc) > 0").size() == 1);
    }
    copy.execute("drop database " + name);
    CHECK_FALSE(claim(original)["renewed"].as<bool>());
}

TEST_CASE("a log with transactions from the future is a copy, whatever else says")
{
    const database db{with_rowcast};
    claim(db);
    db.execute("insert into rowcast.change_log (xid, call, op) values (pg_snapshot_xmax(pg_current_snapshot())::text::bigint::text::xid8, 1, 'MESSAGE')");
    db.execute("insert into rowcast.change_log (xid, call, op) values ('99999999999', 1, 'MESSAGE')");
    CHECK(claim(db)["renewed"].as<bool>());
    CHECK(captured(db).empty());
    CHECK_FALSE(claim(db)["renewed"].as<bool>());
}

TEST_CASE("what pg_dump restores elsewhere is watched with the same columns, of tables with other numbers")
{
    const database original{with_rowcast};
    const database restored;
    if (!dump::possible(original))
        return;
    original.execute("create table t (gone int, id int primary key, v int, secret int); alter table t drop gone; select rowcast.watch('t', columns => '{id,v}', notify => true);"
                     "create table p (id int primary key) partition by range (id); create table p_1 partition of p default; select rowcast.watch('p', notify => true);"
                     "insert into t values (1, 1, 1)");
    restored.execute("create table shifts_every_oid (id int)");
    dump{original}.restore(restored);
    CHECK(claim(restored)["renewed"].as<bool>());
    CHECK(restored.execute("select * from rowcast.refresh()").empty());
    CHECK(std::string(restored.execute("select columns from rowcast.watched where relid = 't'::regclass")[0][0].c_str()) == "{id,v}");
    CHECK(captured_by(restored, "insert into t values (2, 2, 2); insert into p values (1); insert into p_1 values (2)")
          == lines{R"(INSERT t {"id":2,"v":2})", R"(INSERT p {"id":1})", R"(INSERT p {"id":2})"});
}

TEST_CASE("refresh in a restored database captures no column that was left out, also before a bridge has claimed the log")
{
    const database original{with_rowcast};
    const database restored;
    if (!dump::possible(original))
        return;
    // Without the dropped column, numbers of the original's columns are those of their neighbours.
    original.execute("create table t (gone int, id int primary key, v int, secret int); alter table t drop gone;"
                     "select rowcast.watch('t', columns => '{id,v}', notify => true)");
    dump{original}.restore(restored);
    CHECK(restored.execute("select * from rowcast.refresh()").empty());
    CHECK(captured_by(restored, "insert into t values (2, 2, 2)") == lines{R"(INSERT t {"id":2,"v":2})"});
    CHECK_FALSE(claim(restored)["renewed"].as<bool>());
}

TEST_CASE("a log that was dumped and restored into the database that it came from is a copy")
{
    const database db{with_rowcast};
    if (!dump::possible(db))
        return;
    db.execute("create table t (id int primary key); select rowcast.watch('t', notify => true); insert into t values (1)");
    const auto before = claim(db);
    const dump copy{db};
    db.execute("begin; set local client_min_messages = warning; drop table t; drop schema rowcast cascade; commit");
    copy.restore(db);
    const auto after = claim(db);
    CHECK(after["renewed"].as<bool>());
    CHECK(std::string(before["log_id"].c_str()) != after["log_id"].c_str());
    CHECK(captured(db).empty());
    CHECK_FALSE(claim(db)["renewed"].as<bool>());
}

TEST_CASE("a watched table that is dropped and restored stays watched, and its subscribers are told")
{
    const database db{with_rowcast};
    if (!dump::possible(db))
        return;
    db.execute("create table t (gone int, id int primary key, v int); alter table t drop gone; select rowcast.watch('t', columns => '{id}', notify => true)");
    const dump copy{db, "-t t"};
    db.execute("drop table t");
    copy.restore(db);
    db.execute("select * from rowcast.refresh()");
    CHECK(db.execute("select from rowcast.change_log where op = 'RESYNC' and event = 'table_restored'").size() == 1);
    CHECK(captured_by(db, "insert into t values (2, 2)") == lines{R"(INSERT t {"id":2})"});
    CHECK(db.execute("select * from rowcast.refresh()").empty());
}
