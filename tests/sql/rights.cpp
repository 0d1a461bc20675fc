#include "postgres/embedded_sql.hpp"
#include "sql/captured.hpp"
#include "sql/temporary_role.hpp"

using namespace rowcast::test;
using rowcast::support::database;
using rowcast::support::with_rowcast;

namespace {

std::string install_sql()
{
    return std::string{rowcast::postgres::install_sql};
}

}

TEST_CASE("a bridge's role has what the bridge needs and nothing else")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key); select rowcast.watch('t', notify => true)");
    const temporary_role bridge{db, "bridge"};
    db.execute("select rowcast.grant_bridge('" + bridge.name + "')");
    const auto connection = bridge.connect();
    for (const char* allowed :
         {"select * from rowcast.claim_identity()", "select * from rowcast.refresh()", "select * from rowcast.expire('1 hour', 1000)",
          "select rowcast.publish('a', 'b')", "select rowcast.version()", "table rowcast.change_log", "table rowcast.settings", "table rowcast.watched",
          "table rowcast.revocations", "select rowcast.revoke('user', 'ann')"})
        CHECK(refusal(*connection, allowed) == "");
    for (const char* denied :
         {"select rowcast.watch('t', notify => true)", "select rowcast.unwatch('t')", "select rowcast.rebuild()", "select rowcast.log_resync('t', 'x')",
          "insert into rowcast.change_log (call, op) values (1, 'x')", "delete from rowcast.change_log", "update rowcast.settings set max_row = 2000",
          "table rowcast.watch_list", "table t", "insert into t values (1)", "set role rowcast_refresh", "set role rowcast_capture",
          "create table rowcast.x (i int)", "delete from rowcast.revocations", "insert into rowcast.revocations values ('user', 'x', now(), now(), '', '1')", "select nextval('rowcast.change_log_id')"})
        CHECK_THAT(refusal(*connection, denied), Catch::Contains("permission denied"));
}

TEST_CASE("everybody else has nothing, the secrets least of all")
{
    const database db{with_rowcast};
    const temporary_role other{db, "other"};
    const auto connection = other.connect();
    for (const char* denied : {"table rowcast.change_log", "table rowcast.settings", "select rowcast.publish('a', 'b')", "select * from rowcast.refresh()", "table rowcast.revocations",
                               "select rowcast.revoke('user', 'ann')"})
        CHECK_THAT(refusal(*connection, denied), Catch::Contains("permission denied"));
    CHECK(db.execute("select p.oid::regprocedure from pg_proc p where p.pronamespace = 'rowcast'::regnamespace and p.prosecdef "
                     "and exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0)")
              .empty());
}

TEST_CASE("every function states its search_path, its volatility and whose rights it has")
{
    const database db{with_rowcast};
    CHECK(db.execute("select p.oid::regprocedure from pg_proc p where p.pronamespace = 'rowcast'::regnamespace "
                     "and not coalesce(p.proconfig @> '{\"search_path=pg_catalog, pg_temp\"}', false)")
              .empty());
    CHECK(db.execute("select p.oid::regprocedure from pg_proc p where p.pronamespace = 'rowcast'::regnamespace "
                     "and p.prosecdef and p.proowner not in ('rowcast_capture'::regrole, 'rowcast_refresh'::regrole)")
              .empty());
    CHECK(db.execute("select p.oid::regprocedure from pg_proc p where p.pronamespace = 'rowcast'::regnamespace "
                     "and obj_description(p.oid, 'pg_proc') is null")
              .empty());
}

TEST_CASE("code that a user smuggles into a trigger runs as a role that can only insert into the log")
{
    const database db{with_rowcast};
    // A cast made after the watch, before refresh leaves the column out: it runs inside row_to_json().
    db.execute(R"(
        create type mood as enum ('sad');
        create table t (id int primary key, c mood); create table secret (v text); insert into secret values ('s');
        select rowcast.watch('t', notify => true);
        create function evil(mood) returns json language plpgsql as $$
        declare tried text; report text := '';
        begin
          foreach tried in array array['select cursor_key from rowcast.settings', 'select * from rowcast.change_log', 'table public.secret',
            'delete from rowcast.change_log', 'create table public.mine (i int)', 'create function rowcast.f() returns int language sql as ''select 1''',
            'alter function rowcast.capture_1() security invoker', 'set session authorization postgres', 'update public.t set id = 9']
          loop
            begin
              execute tried;
              report := report || ' did: ' || tried;
            exception when insufficient_privilege then null;
            end;
          end loop;
          return to_json(current_user || report);
        end $$;
        revoke create on schema public from public;
        create cast (mood as json) with function evil(mood);
        insert into t values (1, 'sad'))");
    const auto logged = captured(db);
    REQUIRE(logged.size() == 1);
    // alter function ... security invoker: it owns the function, and may only take rights from itself.
    CHECK_THAT(logged[0], Catch::StartsWith(R"(INSERT t {"id":1,"c":"rowcast_capture)"));
    CHECK_THAT(logged[0], !Catch::Contains("settings") && !Catch::Contains("secret") && !Catch::Contains("create") && !Catch::Contains("delete")
                              && !Catch::Contains("select") && !Catch::Contains("update") && !Catch::Contains("session"));
}

TEST_CASE("a table's owner who is no superuser installs and watches, and refresh covers the partitions of later")
{
    const database neighbour{with_rowcast};    // keeps the cluster's roles, whoever uninstalls
    const database db;
    const temporary_role dba{db, "dba", "createrole"};
    const temporary_role app{db, "app"};
    const temporary_role bridge{db, "bridge"};
    // The roles exist already, made by another: from PostgreSQL 16 on CREATEROLE reaches only those that one made.
    db.execute("grant rowcast_capture, rowcast_refresh to " + dba.name);
    db.execute("alter database " + db.name() + " owner to " + dba.name + "; grant " + app.name + " to " + dba.name + "; grant create on schema public to " + app.name);
    const auto installer = dba.connect(), application = app.connect(), reader = bridge.connect();
    pqxx::nontransaction as_app{*application}, as_dba{*installer}, as_bridge{*reader};
    as_app.exec("create table t (id int primary key) partition by range (id); create table t_1 partition of t for values from (0) to (10)");
    as_dba.exec(install_sql());
    as_dba.exec("select rowcast.watch('t', notify => true); select rowcast.grant_bridge('" + bridge.name + "')");
    as_app.exec("insert into t values (1); insert into t_1 values (2)");
    CHECK(captured(db) == lines{R"(INSERT t {"id":1})", R"(INSERT t {"id":2})"});

    as_app.exec("create table t_2 partition of t for values from (10) to (20)");
    CHECK(std::string(as_bridge.exec("select action from rowcast.refresh()")[0][0].c_str()) == "attached");
    as_app.exec("insert into t_2 values (11)");
    CHECK(captured(db).back() == R"(INSERT t {"id":11})");
    CHECK(as_bridge.exec("select * from rowcast.refresh()").empty());

    // Somebody else's partition: refresh may not, says so, and says what to do.
    db.execute("create table t_3 partition of t for values from (20) to (30)");
    const auto row = as_bridge.exec("select action, detail from rowcast.refresh()")[0];
    CHECK(std::string(row[0].c_str()) == "refused");
    CHECK_THAT(row[1].c_str(), Catch::Contains("grant trigger on public.t_3 to rowcast_refresh"));
    db.execute("drop table t_3");
    as_dba.exec(std::string{rowcast::postgres::uninstall_sql});
    CHECK(as_dba.exec("select from pg_trigger where tgname like '!rowcast%'").empty());
}

TEST_CASE("a table of somebody else is refused with what to ask for")
{
    const database neighbour{with_rowcast};
    const database db;
    const temporary_role dba{db, "dba", "createrole"};
    db.execute("grant rowcast_capture, rowcast_refresh to " + dba.name);
    db.execute("alter database " + db.name() + " owner to " + dba.name + "; create table t (id int primary key)");
    const auto connection = dba.connect();
    REQUIRE(refusal(*connection, install_sql()) == "");
    CHECK_THAT(refusal(*connection, "select rowcast.watch('t', notify => true)"), Catch::Contains("may not act as that role") && Catch::Contains("HINT"));
}

TEST_CASE("where roles cannot be created, install says what to ask for, and works once that is done")
{
    const database db{};
    const database elsewhere{with_rowcast};   // so that the roles exist, as they do on a second database
    const temporary_role plain{db, "plain"};
    const auto connection = plain.connect();
    CHECK_THAT(refusal(*connection, install_sql()), Catch::Contains("may not create a schema") && Catch::Contains("grant create on database"));
    db.execute("alter database " + db.name() + " owner to " + plain.name);
    const auto again = plain.connect();
    CHECK_THAT(refusal(*again, install_sql()), Catch::Contains("rowcast_capture") && Catch::Contains("grant rowcast_capture, rowcast_refresh to " + plain.name));
    db.execute("grant rowcast_capture, rowcast_refresh to " + plain.name);
    const auto at_last = plain.connect();
    CHECK(refusal(*at_last, install_sql()) == "");
}
