#include "sql/captured.hpp"

using namespace rowcast::test;
using rowcast::support::database;
using rowcast::support::with_rowcast;

namespace {

void make_items(const database& db)
{
    db.execute("create table t (id int primary key, v text); select rowcast.watch('t', notify => true)");
}

}

TEST_CASE("one row is captured from INSERT, UPDATE and DELETE")
{
    const database db{with_rowcast};
    make_items(db);
    CHECK(captured_by(db, "insert into t values (1, 'a')") == lines{R"(INSERT t {"id":1,"v":"a"})"});
    CHECK(captured_by(db, "update t set v = 'b'") == lines{R"(UPDATE t {"id":1,"v":"b"} was {"id":1,"v":"a"})"});
    CHECK(captured_by(db, "delete from t") == lines{R"(DELETE t was {"id":1,"v":"b"})"});
}

TEST_CASE("many rows are captured from one statement, which is one call")
{
    const database db{with_rowcast};
    make_items(db);
    CHECK(captured_by(db, "insert into t select g, 'a' from generate_series(1, 3) g")
          == lines{R"(INSERT t {"id":1,"v":"a"})", R"(INSERT t {"id":2,"v":"a"})", R"(INSERT t {"id":3,"v":"a"})"});
    CHECK(captured_by(db, "update t set v = 'b' where id > 1")
          == lines{R"(UPDATE t {"id":2,"v":"b"} was {"id":2,"v":"a"})", R"(UPDATE t {"id":3,"v":"b"} was {"id":3,"v":"a"})"});
    CHECK(db.execute("select count(distinct call) from rowcast.change_log")[0][0].as<int>() == 1);
    CHECK(captured_by(db, "delete from t where id < 3")
          == lines{R"(DELETE t was {"id":1,"v":"a"})", R"(DELETE t was {"id":2,"v":"b"})"});
}

TEST_CASE("a statement that changes nothing logs nothing, and its transaction stays without an id")
{
    const database db{with_rowcast};
    make_items(db);
    pqxx::connection connection{db.connect()};
    pqxx::work work{connection};
    work.exec("update t set v = 'b'; delete from t; insert into t select 1, '' where false");
    CHECK(work.exec("select pg_current_xact_id_if_assigned()")[0][0].is_null());
    work.commit();
    CHECK(captured(db).empty());
}

TEST_CASE("TRUNCATE is one event without row data")
{
    const database db{with_rowcast};
    make_items(db);
    db.execute("insert into t values (1, 'a'), (2, 'b')");
    CHECK(captured_by(db, "truncate t") == lines{"TRUNCATE t"});
}

TEST_CASE("COPY is captured like INSERT")
{
    const database db{with_rowcast};
    make_items(db);
    pqxx::connection connection{db.connect()};
    pqxx::work work{connection};
    pqxx::stream_to copy{work, "t", std::vector<std::string>{"id", "v"}};
    copy << std::make_tuple(1, "a") << std::make_tuple(2, "b");
    copy.complete();
    work.commit();
    CHECK(captured(db) == lines{R"(INSERT t {"id":1,"v":"a"})", R"(INSERT t {"id":2,"v":"b"})"});
}

TEST_CASE("ON CONFLICT DO UPDATE gives the inserts and the updates, ON CONFLICT DO NOTHING the inserts")
{
    const database db{with_rowcast};
    make_items(db);
    db.execute("insert into t values (1, 'a'), (3, 'c')");
    auto logged = captured_by(db, "insert into t values (1, 'x'), (2, 'y'), (3, 'z') on conflict (id) do update set v = excluded.v");
    std::sort(logged.begin(), logged.end());
    CHECK(logged
          == lines{R"(INSERT t {"id":2,"v":"y"})", R"(UPDATE t {"id":1,"v":"x"} was {"id":1,"v":"a"})",
                   R"(UPDATE t {"id":3,"v":"z"} was {"id":3,"v":"c"})"});
    CHECK(captured_by(db, "insert into t values (1, 'n'), (4, 'n') on conflict do nothing") == lines{R"(INSERT t {"id":4,"v":"n"})"});
}

TEST_CASE("MERGE gives each row's own operation")
{
    const database db{with_rowcast};
    if (!since(15, "MERGE", db))
        return;
    make_items(db);
    db.execute("insert into t values (1, 'a'), (2, 'b'), (3, 'c')");
    auto logged = captured_by(db, R"(
        merge into t using (values (1, 'x'), (2, null), (3, 'z'), (9, 'n')) s (id, v) on t.id = s.id
        when matched and s.v is null then delete
        when matched then update set v = s.v
        when not matched then insert values (s.id, s.v))");
    std::sort(logged.begin(), logged.end());
    CHECK(logged
          == lines{R"(DELETE t was {"id":2,"v":"b"})", R"(INSERT t {"id":9,"v":"n"})",
                   R"(UPDATE t {"id":1,"v":"x"} was {"id":1,"v":"a"})", R"(UPDATE t {"id":3,"v":"z"} was {"id":3,"v":"c"})"});
}

TEST_CASE("MERGE that deletes what its source lacks is captured")
{
    const database db{with_rowcast};
    if (!since(17, "WHEN NOT MATCHED BY SOURCE", db))
        return;
    make_items(db);
    db.execute("insert into t values (1, 'a'), (2, 'b')");
    CHECK(captured_by(db, "merge into t using (values (1)) s (id) on t.id = s.id when not matched by source then delete")
          == lines{R"(DELETE t was {"id":2,"v":"b"})"});
}

TEST_CASE("cascades of a foreign key are captured on the tables that they change")
{
    const database db{with_rowcast};
    make_items(db);
    db.execute(R"(create table part (id int primary key, t int references t on delete cascade on update cascade);
                  create table note (id int primary key, t int references t on delete set null);
                  select rowcast.watch('part', notify => true), rowcast.watch('note', notify => true);
                  insert into t values (1, 'a'), (2, 'b'); insert into part values (10, 1), (20, 2); insert into note values (7, 2))");
    CHECK(captured_by(db, "update t set id = 5 where id = 1")
          == lines{R"(DELETE(UPDATE) t was {"id":1,"v":"a"})", R"(INSERT(UPDATE) t {"id":5,"v":"a"})",
                   R"(UPDATE part {"id":10,"t":5} was {"id":10,"t":1})"});
    auto logged = captured_by(db, "delete from t");
    std::sort(logged.begin(), logged.end());
    CHECK(logged
          == lines{R"(DELETE part was {"id":10,"t":5})", R"(DELETE part was {"id":20,"t":2})", R"(DELETE t was {"id":2,"v":"b"})",
                   R"(DELETE t was {"id":5,"v":"a"})", R"(UPDATE note {"id":7,"t":null} was {"id":7,"t":2})"});
    db.execute("insert into t values (1, 'a'); insert into part values (1, 1)");
    logged = captured_by(db, "truncate t cascade");
    std::sort(logged.begin(), logged.end());
    CHECK(logged == lines{"TRUNCATE note", "TRUNCATE part", "TRUNCATE t"});
}

TEST_CASE("a table that refers to itself is captured through all levels of a cascade")
{
    const database db{with_rowcast};
    db.execute(R"(create table tree (id int primary key, parent int references tree on delete cascade on update cascade);
                  insert into tree values (1, null), (2, 1), (3, 2), (4, null);
                  select rowcast.watch('tree', notify => true))");
    // Replaying the log must give the table.
    const auto replay = [&](std::string_view sql) {
        db.execute("drop table if exists copy; create table copy as table tree");
        db.execute("delete from rowcast.change_log");
        db.execute(sql);
        for (const auto& row : db.execute("select op, new->>'id', old->>'id', new->>'parent' from rowcast.change_log order by id")) {
            const std::string op = row[0].c_str();
            if (op != "INSERT")
                db.execute("delete from copy where id = " + std::string(row[2].c_str()));
            if (op != "DELETE")
                db.execute("insert into copy values (" + std::string(row[1].c_str()) + ", "
                           + (row[3].is_null() ? "null" : row[3].c_str()) + ")");
        }
        return db.execute("(table copy except table tree) union all (table tree except table copy)").empty();
    };
    CHECK(replay("update tree set id = id + 10"));
    CHECK(replay("update tree set id = id + 100 where parent is null"));
    CHECK(replay("delete from tree where id = 111"));
    CHECK(db.execute("select count(*) from tree")[0][0].as<int>() == 1);
}
