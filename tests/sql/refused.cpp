#include "sql/captured.hpp"

using namespace rowcast::test;
using rowcast::support::database;
using rowcast::support::with_rowcast;

TEST_CASE("watch refuses what cannot be captured completely, says why and what to do")
{
    const database db{with_rowcast};
    db.execute(R"(
        create table t (id int primary key, v text);
        create view a_view as table t;
        create materialized view a_matview as table t;
        create foreign data wrapper w; create server s foreign data wrapper w; create foreign table a_foreign (id int) server s;
        create table parent (id int primary key); create table child () inherits (parent);
        create table whole (id int primary key) partition by range (id); create table part partition of whole default;
        create table with_foreign (id int) partition by range (id);
        create foreign table its_leaf partition of with_foreign default server s;
        create table keyless (v text);
        create sequence a_sequence;
        create index an_index on t (v))");
    pqxx::connection connection{db.connect()};
    pqxx::nontransaction{connection}.exec("create temporary table a_temporary (id int primary key)");
    struct refused { std::string call, because, hint; };
    const auto r = GENERATE(values<refused>({
        {"'a_view'", "is a view", "Watch the tables that it reads"},
        {"'a_matview'", "is a materialized view", "Watch the tables that it reads"},
        {"'a_foreign'", "is a foreign table", "where the table is stored"},
        {"'a_temporary'", "is a temporary table", "permanent"},
        {"'a_sequence'", "is not a table", "ordinary and partitioned"},
        {"'an_index'", "is not a table", "ordinary and partitioned"},
        {"'parent'", "inheritance children", "partitioned table"},
        {"'child'", "inherits from another table", "no inherit"},
        {"'part'", "is a partition", "rowcast.watch('public.whole')"},
        {"'with_foreign', key => '{id}'", "foreign table as a partition", "Detach"},
        {"'pg_class'", "belongs to the system", "of the application"},
        {"'rowcast.change_log'", "belongs to the system", "of the application"},
        {"'keyless'", "no primary key", "key =>"},
        {"'nowhere'", "does not exist", ""},
        {"'t', columns => '{id,nope}'", "no column nope (in columns)", "Its columns are: id, v"},
        {"'t', \"except\" => '{Nope}'", "no column \"Nope\" (in except)", "Its columns are: id, v"},
        {"'t', key => '{x}'", "no column x (in key)", "Its columns are: id, v"},
        {"'t', columns => '{v}'", "the key (id) of public.t is not among the captured columns", "Add the key's columns"},
        {"'t', \"except\" => '{id}'", "the key (id) of public.t is not among the captured columns", "Add the key's columns"},
        {"'t', columns => '{id}', \"except\" => '{v}'", "exclude each other", "either"},
        {"'t', columns => '{id,null}'", "no column null", "Its columns are"},
    }));
    INFO(r.call);
    const std::string report = refusal(connection, "select rowcast.watch(" + r.call + ", notify => true)");
    CHECK_THAT(report, Catch::Contains(r.because) && Catch::Contains(r.hint));
    CHECK(db.execute("table rowcast.watch_list").empty());
    CHECK(db.execute("select from pg_trigger where tgname like '!rowcast%'").empty());
}

TEST_CASE("watch refuses a table whose changes a logical subscription applies")
{
    const database db{with_rowcast};
    // The entry that a subscription makes for each of its tables; the server looks at no more than that.
    db.execute(R"(create table t (id int primary key);
                  set allow_system_table_mods = on;
                  insert into pg_subscription_rel (srsubid, srrelid, srsubstate) values (1, 't'::regclass, 'r'))");
    CHECK_THAT(refusal(db, "select rowcast.watch('t', notify => true)"),
               Catch::Contains("logical subscription") && Catch::Contains("on the publisher"));
}

TEST_CASE("where transactions may be prepared, watch wants to be told about the doorbell")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key)");
    REQUIRE(db.execute("show max_prepared_transactions")[0][0].as<int>() > 0);
    CHECK_THAT(refusal(db, "select rowcast.watch('t')"), Catch::Contains("PREPARE TRANSACTION") && Catch::Contains("notify => false"));
    db.execute("select rowcast.watch('t', notify => false)");
    db.execute("begin; insert into t values (1); prepare transaction '" + db.name() + "'");
    db.execute("commit prepared '" + db.name() + "'");
    CHECK(captured(db) == lines{R"(INSERT t {"id":1})"});
}

TEST_CASE("a user-defined cast to json is refused, however deep in the type, and one made later is left out by refresh")
{
    const database db{with_rowcast};
    db.execute(R"(create type mood as enum ('sad');
                  create function evil(mood) returns json language sql as 'select ''"ran"''::json';
                  create domain moods as mood[];
                  create type nest as (x text, y moods);
                  create table t (id int primary key, c nest);
                  create table u (id int primary key, c nest, v text))");
    db.execute("select rowcast.watch('u', notify => true)");
    db.execute("create cast (mood as json) with function evil(mood)");
    const std::string report = refusal(db, "select rowcast.watch('t', notify => true)");
    CHECK_THAT(report, Catch::Contains("column c of public.t") && Catch::Contains("mood has a user-defined cast to json") && Catch::Contains("except"));
    db.execute("select rowcast.watch('t', \"except\" => '{c}', notify => true)");

    db.execute("select * from rowcast.refresh()");
    CHECK(captured_by(db, "insert into u values (1, row('x', '{sad}'), 'v')") == lines{R"(INSERT u {"id":1,"v":"v"})"});
    CHECK(std::string(db.execute("select columns from rowcast.watched where table_name = 'public.u'")[0][0].c_str()) == "{id,v}");
}

TEST_CASE("casts that came with an extension, or that row_to_json does not use, are no reason to refuse")
{
    const database db{with_rowcast};
    db.execute(R"(create type pair as (a int, b int);
                  create function f(pair) returns json language sql as 'select null::json';
                  create cast (pair as json) with function f(pair);
                  create table t (id int primary key, c pair);
                  select rowcast.watch('t', notify => true))");
    CHECK(captured_by(db, "insert into t values (1, row(1, 2))") == lines{R"(INSERT t {"id":1,"c":{"a":1,"b":2}})"});
    if (!db.execute("select from pg_available_extensions where name = 'hstore'").empty()) {
        db.execute("create extension hstore; create table h (id int primary key, c hstore); select rowcast.watch('h', notify => true)");
        CHECK(captured_by(db, "insert into h values (1, 'a=>1'); update h set c = 'a=>2'; update h set id = 2").size() == 4);
    }
}

TEST_CASE("virtual generated columns, whose values triggers do not see, are left out and refused by name")
{
    const database db{with_rowcast};
    if (!since(18, "virtual generated columns", db))
        return;
    db.execute("create table t (id int primary key, v int generated always as (id * 2) virtual); select rowcast.watch('t', notify => true)");
    CHECK(captured_by(db, "insert into t values (1); update t set id = 2")
          == lines{R"(INSERT t {"id":1})", R"(DELETE(UPDATE) t was {"id":1})", R"(INSERT(UPDATE) t {"id":2})"});
    CHECK_THAT(refusal(db, "select rowcast.watch('t', columns => '{id,v}', notify => true)"), Catch::Contains("virtual generated") && Catch::Contains("HINT"));
}
