#include "sql/captured.hpp"

using namespace rowcast::test;
using rowcast::support::database;
using rowcast::support::with_rowcast;

TEST_CASE("a row larger than max_row is logged with its key only and marked, among others that are not")
{
    const database db{with_rowcast};
    db.execute(R"(update rowcast.settings set max_row = 100000;
                  create table t (a int, b text, v text, w jsonb, primary key (a, b)); select rowcast.watch('t', notify => true))");
    CHECK(captured_by(db, "insert into t values (1, 'k', repeat('x', 200000))") == lines{R"(INSERT t {"a" : 1, "b" : "k"} truncated)"});
    const auto mixed = captured_by(db, "insert into t values (2, 'k', repeat('x', 200000)), (3, 'k', 'small')");
    CHECK(mixed == lines{R"(INSERT t {"a" : 2, "b" : "k"} truncated)", R"(INSERT t {"a":3,"b":"k","v":"small","w":null})"});
    // Either side of an update may be the large one.
    CHECK(captured_by(db, "update t set v = 'small' where a = 1")
          == lines{R"(UPDATE t {"a" : 1, "b" : "k"} was {"a" : 1, "b" : "k"} truncated)"});
    auto both = captured_by(db, "update t set v = repeat('y', 200000) where a in (1, 3)");
    std::sort(both.begin(), both.end());
    CHECK(both
          == lines{R"(UPDATE t {"a" : 1, "b" : "k"} was {"a" : 1, "b" : "k"} truncated)",
                   R"(UPDATE t {"a" : 3, "b" : "k"} was {"a" : 3, "b" : "k"} truncated)"});
    CHECK(captured_by(db, "update t set a = 4, v = '' where a = 3")
          == lines{R"(DELETE(UPDATE) t was {"a" : 3, "b" : "k"} truncated)", R"(INSERT(UPDATE) t {"a":4,"b":"k","v":"","w":null})"});
    CHECK(captured_by(db, "delete from t where a = 1") == lines{R"(DELETE t was {"a" : 1, "b" : "k"} truncated)"});
}

TEST_CASE("what is measured is the value, not what compression made of it")
{
    const database db{with_rowcast};
    db.execute(R"(create table t (id int primary key, v text, d jsonb); select rowcast.watch('t', notify => true);
                  insert into t values (1, repeat('x', 8000000)); insert into t values (2, repeat('x', 9000000)))");
    CHECK(db.execute("select pg_column_size(v) < 200000 from t where id = 2")[0][0].as<bool>());
    const auto rows = db.execute("select truncated, octet_length(new::text) from rowcast.change_log order by id");
    CHECK_FALSE(rows[0][0].as<bool>());
    CHECK(rows[0][1].as<int>() > 8000000);
    CHECK(rows[1][0].as<bool>());
}

TEST_CASE("a row that together is larger than PostgreSQL can hold in one value does not fail the writer")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key, a text, b text, c text); insert into t values (1, repeat('x', 360000000)); update t set b = a");
    db.execute("select rowcast.watch('t', notify => true)");
    CHECK(captured_by(db, "update t set c = a") == lines{R"(UPDATE t {"id" : 1} was {"id" : 1} truncated)"});
}

TEST_CASE("a small max_row holds for many columns too")
{
    const database db{with_rowcast};
    db.execute(R"(update rowcast.settings set max_row = 10000;
                  create table t (id int primary key, a text, b text, c bytea); select rowcast.watch('t', notify => true))");
    CHECK(captured_by(db, "insert into t values (1, repeat('x', 4000), repeat('x', 4000), decode(repeat('00', 4000), 'hex'))")
          == lines{R"(INSERT t {"id" : 1} truncated)"});
    CHECK(captured_by(db, "insert into t values (2, repeat('x', 4000), repeat('x', 4000))").size() == 1);
    CHECK_FALSE(db.execute("select truncated from rowcast.change_log")[0][0].as<bool>());
}
