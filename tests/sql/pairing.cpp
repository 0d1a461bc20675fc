#include "sql/captured.hpp"

using namespace rowcast::test;
using rowcast::support::database;
using rowcast::support::with_rowcast;

namespace {

constexpr auto list_partitioned = R"(
    create table t (id int, region text, v int, primary key (id, region)) partition by list (region);
    create table t_a partition of t for values in ('a');
    create table t_b partition of t for values in ('b');)";

}

TEST_CASE("an UPDATE that changes the key is a DELETE of the old key and an INSERT of the new")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key, v int); select rowcast.watch('t', notify => true); insert into t values (1, 7)");
    CHECK(captured_by(db, "update t set id = 2")
          == lines{R"(DELETE(UPDATE) t was {"id":1,"v":7})", R"(INSERT(UPDATE) t {"id":2,"v":7})"});
}

TEST_CASE("of one statement all DELETEs of changed keys come before everything else, so that a key swap loses no row")
{
    const database db{with_rowcast};
    db.execute(R"(create table t (id int primary key deferrable initially immediate, v text);
                  select rowcast.watch('t', notify => true); insert into t values (1, 'a'), (2, 'b'), (9, 'z'))");
    CHECK(captured_by(db, "update t set id = case id when 1 then 2 when 2 then 1 else id end")
          == lines{R"(DELETE(UPDATE) t was {"id":1,"v":"a"})", R"(DELETE(UPDATE) t was {"id":2,"v":"b"})",
                   R"(INSERT(UPDATE) t {"id":2,"v":"a"})", R"(INSERT(UPDATE) t {"id":1,"v":"b"})",
                   R"(UPDATE t {"id":9,"v":"z"} was {"id":9,"v":"z"})"});
    CHECK(db.execute("select count(distinct call) from rowcast.change_log")[0][0].as<int>() == 1);
}

TEST_CASE("a row of a temporal key is known by its period too, and one whose period changes is another row")
{
    const database db{with_rowcast};
    if (!since(18, "WITHOUT OVERLAPS", db))
        return;
    db.execute("create extension btree_gist; create table t (id int, period daterange, v text, primary key (id, period without overlaps));"
               "select rowcast.watch('t', notify => true); insert into t values (1, '[2026-01-01,2026-02-01)', 'a'), (1, '[2026-02-01,2026-03-01)', 'b')");
    CHECK(std::string(db.execute("select key_columns from rowcast.watched")[0][0].c_str()) == "{id,period}");
    CHECK(captured_by(db, "update t set v = 'c' where v = 'a'; update t set period = '[2026-02-15,2026-03-01)' where v = 'b'")
          == lines{R"-(UPDATE t {"id":1,"period":"[2026-01-01,2026-02-01)","v":"c"} was {"id":1,"period":"[2026-01-01,2026-02-01)","v":"a"})-",
                   R"-(DELETE(UPDATE) t was {"id":1,"period":"[2026-02-01,2026-03-01)","v":"b"})-",
                   R"-(INSERT(UPDATE) t {"id":1,"period":"[2026-02-15,2026-03-01)","v":"b"})-"});
}

TEST_CASE("every trigger call has a number of its own, whether it logs one row or many")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key, v int); select rowcast.watch('t', notify => true)");
    db.execute("insert into t values (1, 1)");
    db.execute("begin; update t set v = 2; update t set v = 3; insert into t values (2, 1), (3, 1); update t set v = v + 1; delete from t where id = 1; commit");
    const auto calls = db.execute("select call, count(*) from rowcast.change_log group by call order by call");
    std::vector<int> rows;
    for (const auto& each : calls) {
        rows.push_back(each[1].as<int>());
    }
    CHECK(rows == std::vector<int>{1, 1, 1, 2, 3, 1});
}

TEST_CASE("old and new rows of a bulk update belong together")
{
    const database db{with_rowcast};
    db.execute(R"(create table t (a int, b text, v int, primary key (b, a)); select rowcast.watch('t', notify => true);
                  insert into t select g, 'k', g * 3 from generate_series(1, 500) g; delete from rowcast.change_log;
                  update t set v = v + 1)");
    const auto row = db.execute(R"(
        select count(*), count(*) filter (where new->>'a' = old->>'a' and (new->>'v')::int = (old->>'v')::int + 1),
               min(key_columns::text) from rowcast.change_log where op = 'UPDATE')")[0];
    CHECK(row[0].as<int>() == 500);
    CHECK(row[1].as<int>() == 500);
    CHECK(std::string(row[2].c_str()) == "{b,a}");
}

TEST_CASE("a session whose first bulk update was small does not pay quadratically for a large one")
{
    const database db{with_rowcast};
    db.execute(R"(create table t (id int primary key, v int); select rowcast.watch('t', notify => true);
                  insert into t select g, 0 from generate_series(1, 50000) g)");
    pqxx::connection connection{db.connect()};
    pqxx::nontransaction work{connection};
    work.exec("update t set v = 1 where id < 3; set statement_timeout = '30s'");
    CHECK_NOTHROW(work.exec("update t set v = 2"));
}

TEST_CASE("a row that moves to another partition keeps its pair, and so does one that ON CONFLICT updates")
{
    const database db{with_rowcast};
    db.execute(std::string(list_partitioned) + R"(
        select rowcast.watch('t', key => '{id}', notify => true);
        insert into t values (1, 'a', 0), (2, 'a', 0), (3, 'b', 0))");
    auto logged = captured_by(db, "update t set region = case region when 'a' then 'b' else 'a' end, v = id");
    std::sort(logged.begin(), logged.end());
    CHECK(logged
          == lines{R"(UPDATE t {"id":1,"region":"b","v":1} was {"id":1,"region":"a","v":0})",
                   R"(UPDATE t {"id":2,"region":"b","v":2} was {"id":2,"region":"a","v":0})",
                   R"(UPDATE t {"id":3,"region":"a","v":3} was {"id":3,"region":"b","v":0})"});
    CHECK(captured_by(db, "insert into t values (1, 'b', 5) on conflict (id, region) do update set v = excluded.v")
          == lines{R"(UPDATE t {"id":1,"region":"b","v":5} was {"id":1,"region":"b","v":1})"});
}

TEST_CASE("a row that a BEFORE trigger swallows on its way to another partition is a DELETE, and the others keep their pairs")
{
    const database db{with_rowcast};
    db.execute(std::string(list_partitioned) + R"(
        create function swallow() returns trigger language plpgsql as 'begin if new.id = 2 then return null; end if; return new; end';
        create trigger swallow before insert on t_b for each row execute function swallow();
        select rowcast.watch('t', key => '{id}', notify => true);
        insert into t values (1, 'a', 0), (2, 'a', 0), (3, 'a', 0), (4, 'a', 0))");
    CHECK(captured_by(db, "update t set region = 'b', v = id")
          == lines{R"(DELETE(UPDATE) t was {"id":2,"region":"a","v":0})",
                   R"(UPDATE t {"id":1,"region":"b","v":1} was {"id":1,"region":"a","v":0})",
                   R"(UPDATE t {"id":3,"region":"b","v":3} was {"id":3,"region":"a","v":0})",
                   R"(UPDATE t {"id":4,"region":"b","v":4} was {"id":4,"region":"a","v":0})"});
    db.execute("insert into t values (2, 'a', 0)");
    CHECK(captured_by(db, "update t set region = 'b' where id = 2") == lines{R"(DELETE(UPDATE) t was {"id":2,"region":"a","v":0})"});
}
