#include "sql/captured.hpp"

using namespace rowcast::test;
using rowcast::support::database;
using rowcast::support::with_rowcast;

namespace {

std::string watched(const database& db, const std::string& column)
{
    return db.execute("select " + column + " from rowcast.watched")[0][0].c_str();
}

lines reasons(const database& db)
{
    lines result;
    for (const auto& row : db.execute("select detail from rowcast.refresh() where action = 'resync'"))
        result.push_back(row[0].c_str());
    return result;
}

}

TEST_CASE("only the named columns are captured, in table order")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key, a int, secret text, z int); select rowcast.watch('t', columns => '{z,a,id}', notify => true)");
    CHECK(captured_by(db, "insert into t values (1, 2, 's', 3)") == lines{R"(INSERT t {"id":1,"a":2,"z":3})"});
    CHECK(captured_by(db, "update t set z = 4") == lines{R"(UPDATE t {"id":1,"a":2,"z":4} was {"id":1,"a":2,"z":3})"});
    CHECK(watched(db, "columns") == "{id,a,z}");
    CHECK(watched(db, "all_columns") == "f");
}

TEST_CASE("watching twice is one watch with the latest options")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key, a int unique not null, b int); select rowcast.watch('t', notify => true)");
    db.execute("select rowcast.watch('t', columns => '{a}', key => '{a}', notify => false)");
    CHECK(db.execute("select count(*) from rowcast.watched")[0][0].as<int>() == 1);
    CHECK(db.execute("select count(*) from pg_trigger where tgname like '!rowcast%'")[0][0].as<int>() == 4);
    CHECK(watched(db, "concat_ws(' ', table_name, relid, columns, key_columns, all_columns, notify, triggers, relations)") == "public.t t {a} {a} f f ok 1");
    CHECK(captured_by(db, "insert into t values (1, 2, 3)") == lines{R"(INSERT t {"a":2})"});
    db.execute("select rowcast.watch('t', notify => true)");
    CHECK(watched(db, "concat_ws(' ', columns, key_columns, all_columns, notify)") == "{id,a,b} {id} t t");
}

TEST_CASE("a key that no unique index guarantees is accepted with a warning")
{
    const database db{with_rowcast};
    db.execute("create table t (a int, b int); select rowcast.watch('t', key => '{b,a}', notify => true)");
    CHECK(watched(db, "key_columns") == "{b,a}");
    CHECK(captured_by(db, "insert into t values (1, 2), (1, 3); update t set a = 5 where b = 2")
          == lines{R"(INSERT t {"a":1,"b":2})", R"(INSERT t {"a":1,"b":3})", R"(DELETE(UPDATE) t was {"a":1,"b":2})",
                   R"(INSERT(UPDATE) t {"a":5,"b":2})"});
}

TEST_CASE("a column added later is captured at once where all are, after refresh where some are left out, and never where they are named")
{
    const database db{with_rowcast};
    db.execute(R"(create table a (id int primary key); create table e (id int primary key, s int); create table n (id int primary key);
                  select rowcast.watch('a', notify => true), rowcast.watch('e', "except" => '{s}', notify => true),
                         rowcast.watch('n', columns => '{id}', notify => true))");
    pqxx::connection session{db.connect()};
    pqxx::nontransaction work{session};
    work.exec("insert into a values (0); insert into e values (0); insert into n values (0)");
    for (const char* table : {"a", "e", "n"})
        db.execute(std::string("alter table ") + table + " add later text default 'x'");
    // In a session that has planned the trigger's statements already.
    work.exec("delete from rowcast.change_log; insert into a values (1); insert into e values (1); insert into n values (1)");
    CHECK(captured(db) == lines{R"(INSERT a {"id":1,"later":"x"})", R"(INSERT e {"id":1})", R"(INSERT n {"id":1})"});
    CHECK(reasons(db) == lines{"table_altered", "table_altered", "table_altered"});
    work.exec("delete from rowcast.change_log; insert into a values (2); insert into e values (2); insert into n values (2)");
    CHECK(captured(db) == lines{R"(INSERT a {"id":2,"later":"x"})", R"(INSERT e {"id":2,"later":"x"})", R"(INSERT n {"id":2})"});
}

TEST_CASE("renaming or dropping a captured column never fails the application, and refresh follows")
{
    const database db{with_rowcast};
    const auto options = GENERATE(as<std::string>{}, "", ", columns => '{id,a,b}'", ", \"except\" => '{c}'");
    INFO(options);
    db.execute("create table t (id int primary key, a text, b text, c text); select rowcast.watch('t'" + options + ", notify => true)");
    pqxx::connection session{db.connect()};
    pqxx::nontransaction work{session};
    work.exec("insert into t values (1, 'a', 'b'), (2, 'a', 'b')");
    work.exec("alter table t rename a to \"new A\"; alter table t drop b");
    CHECK_NOTHROW(work.exec("insert into t values (3); insert into t values (4), (5); update t set \"new A\" = 'x' where id = 1; update t set \"new A\" = 'y'; delete from t where id > 2"));
    CHECK(reasons(db) == lines{"table_altered"});
    const auto logged = captured_by(db, "update t set \"new A\" = 'z' where id = 1");
    CHECK(logged.at(0).find(R"(UPDATE t {"id":1,"new A":"z")") == 0);

    work.exec("alter table t rename id to number");
    CHECK_NOTHROW(work.exec("insert into t values (6); insert into t values (7), (8); update t set \"new A\" = 'x'; update t set number = -number; delete from t where number = -6"));
    CHECK(reasons(db) == lines{"key_changed", "table_altered"});
    CHECK(watched(db, "key_columns") == "{number}");
    CHECK(captured_by(db, "delete from t where number = -7").at(0).find(R"(DELETE t was {"number":-7,)") == 0);
}

TEST_CASE("a new type or expression of a column rewrites rows without a trigger: subscribers read again")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key, v int, g int generated always as (v * 2) stored); select rowcast.watch('t', notify => true); insert into t values (1, 1)");
    CHECK(reasons(db).empty());
    db.execute("alter table t drop g");
    CHECK(reasons(db) == lines{"table_altered"});
    db.execute("alter table t alter v type int using v + 1");
    CHECK(reasons(db) == lines{"table_altered"});
    // While nobody has refreshed, the trigger meets the key's new type.
    db.execute("alter table t alter id type jsonb using to_jsonb(id), alter v type jsonb using to_jsonb(v)");
    CHECK(captured_by(db, "update t set v = '2'; update t set id = '7'").size() == 3);
}

TEST_CASE("renaming the table renames it in the log, and both names are told")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key); select rowcast.watch('t', notify => true); create schema other; alter table t rename to u; alter table u set schema other");
    CHECK(reasons(db) == lines{"table_renamed"});
    CHECK(captured(db) == lines{"RESYNC t table_renamed", "RESYNC other.u table_renamed"});
    CHECK(captured_by(db, "insert into other.u values (1)") == lines{R"(INSERT other.u {"id":1})"});
}

TEST_CASE("dropping a watched table ends its watch")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key); select rowcast.watch('t', notify => true); drop table t");
    CHECK(db.execute("table rowcast.watched").empty());
    CHECK(std::string(db.execute("select action from rowcast.refresh()")[0][0].c_str()) == "forgotten");
    CHECK(captured(db) == lines{"RESYNC t table_dropped"});
    CHECK(db.execute("select from pg_proc where proname = 'capture_1'").empty());
    CHECK(db.execute("select * from rowcast.refresh()").empty());
}

TEST_CASE("without its key a table's changes are logged without one and told as such, until a key is there again")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key, v int); select rowcast.watch('t', notify => true); insert into t values (1, 1), (2, 2); alter table t drop constraint t_pkey");
    CHECK(reasons(db) == lines{"key_missing"});
    CHECK_NOTHROW(db.execute("update t set v = 3 where id = 1; update t set v = 4; delete from t where id = 2; insert into t values (9)"));
    CHECK(db.execute("select from rowcast.refresh() where action = 'refused'").size() == 1);
    db.execute("alter table t add primary key (id)");
    CHECK(reasons(db) == lines{"key_changed"});
    CHECK(watched(db, "key_columns") == "{id}");
}

TEST_CASE("unwatching says whether there was a watch, and leaves the log")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key); select rowcast.watch('t', notify => true); insert into t values (1)");
    CHECK(db.execute("select rowcast.unwatch('t')")[0][0].as<bool>());
    CHECK_FALSE(db.execute("select rowcast.unwatch('t')")[0][0].as<bool>());
    db.execute("insert into t values (2)");
    CHECK(captured(db) == lines{R"(INSERT t {"id":1})"});
    db.execute("select rowcast.watch('t', notify => true)");
    CHECK(captured_by(db, "insert into t values (3)") == lines{R"(INSERT t {"id":3})"});
}

TEST_CASE("where nothing has changed refresh does nothing, however often one session calls it")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key, v int, note text, more jsonb); select rowcast.watch('t', notify => true);"
               "create table u (a int, b text, c bytea, primary key (b, a)); select rowcast.watch('u', columns => '{b,a}', notify => true)");
    pqxx::connection bridge{db.connect()};
    // PL/pgSQL plans a statement anew from the sixth time on.
    for (int time = 0; time < 15; ++time) {
        INFO(time);
        CHECK(pqxx::nontransaction{bridge}.exec("select * from rowcast.refresh()").empty());
    }
}
