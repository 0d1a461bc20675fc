#include <algorithm>

#include "postgres/embedded_sql.hpp"
#include "sql/captured.hpp"
#include "sql/temporary_role.hpp"

using namespace rowcast::test;
using rowcast::support::database;
using rowcast::support::with_rowcast;

namespace {

const std::string install{rowcast::postgres::install_sql};
const std::string uninstall{rowcast::postgres::uninstall_sql};

// Everything of the database that an installation could leave something in. That a right is spelled out which was there by
// default is no trace.
lines traces(const database& db)
{
    lines result;
    for (const auto& row : db.execute(R"(
        select what from (
          select 'relation ' || oid::regclass || coalesce(relacl, acldefault('r', relowner))::text from pg_class where relkind <> 'S'
          union all select 'sequence ' || oid::regclass from pg_class where relkind = 'S'
          union all select 'function ' || oid::regprocedure || coalesce(proacl::text, '') from pg_proc
          union all select 'schema ' || nspname || coalesce(nspacl::text, '') from pg_namespace where nspname !~ '^pg_(toast_)?temp'
          union all select 'type ' || oid::regtype from pg_type
          union all select 'trigger ' || tgname || tgrelid::regclass from pg_trigger
          union all select 'default ' || defaclacl::text from pg_default_acl
          union all select 'depends ' || refobjid::regrole from pg_shdepend d join pg_database b on b.oid = d.dbid and b.datname = current_database()
                    where refclassid = 'pg_authid'::regclass) t (what) order by what collate "C")"))
        result.push_back(row[0].c_str());
    return result;
}

}

TEST_CASE("installing again keeps identity, watches and log")
{
    const database neighbour{with_rowcast};    // The roles are the cluster's: with a neighbour they stay when one database lets go.
    const database db;
    db.execute(install);
    db.execute("create table t (id int primary key); select rowcast.watch('t', notify => true); insert into t values (1); update rowcast.settings set max_row = 5000");
    const std::string before = db.execute("select settings::text from rowcast.settings")[0][0].c_str();
    db.execute(install);
    CHECK(before == db.execute("select settings::text from rowcast.settings")[0][0].c_str());
    CHECK(captured(db) == lines{R"(INSERT t {"id":1})"});
    CHECK(captured_by(db, "insert into t values (2)") == lines{R"(INSERT t {"id":2})"});
    CHECK(db.execute("select * from rowcast.refresh()").empty());
}

TEST_CASE("an upgrade reaches the tables that are watched already, and keeps what was granted")
{
    const database neighbour{with_rowcast};
    const database db;
    db.execute(install);
    db.execute("create table t (id int primary key); select rowcast.watch('t', notify => true)");
    // As an older version would have left it.
    db.execute("update rowcast.settings set version = '0.0.1'; update rowcast.watch_list set definition = 'old';"
               "create or replace function rowcast.capture_1() returns trigger language plpgsql security definer as 'begin return null; end';"
               "create or replace function rowcast.version() returns text language sql as 'select ''0.0.1''';"
               "create or replace function rowcast.table_shape(root regclass) returns text language sql as 'select ''old''';"
               "update rowcast.watch_list set shape = 'old'");
    CHECK(captured_by(db, "insert into t values (1)").empty());
    db.execute(install);
    CHECK(db.execute("select from rowcast.settings where version = rowcast.version() and version <> '0.0.1'").size() == 1);
    CHECK(captured_by(db, "insert into t values (2)") == lines{R"(INSERT t {"id":2})"});
    CHECK(db.execute("select * from rowcast.refresh()").empty());
}

TEST_CASE("an upgrade gives the bridges' roles what they need since, and nobody else")
{
    const database neighbour{with_rowcast};
    const database db;
    db.execute(install);
    const temporary_role bridge{db, "bridge"};
    const temporary_role other{db, "other"};
    db.execute("select rowcast.grant_bridge('" + bridge.name + "'); grant usage on schema rowcast to " + other.name +
               "; grant execute on function rowcast.publish(text, text, json) to " + other.name);
    // As an older version would have left it.
    db.execute("revoke all on function rowcast.report_bridge(json) from " + bridge.name + "; revoke all on rowcast.bridges from " + bridge.name);
    db.execute(install);
    const auto may = [&](const std::string& role) {
        return db.execute("select has_function_privilege('" + role + "', 'rowcast.report_bridge(json)', 'execute') and has_table_privilege('" +
                          role + "', 'rowcast.bridges', 'select')")[0][0].as<bool>();
    };
    CHECK(may(bridge.name));
    CHECK_FALSE(may(other.name));
    CHECK_FALSE(may("rowcast_capture"));
    CHECK_FALSE(may("public"));
}

TEST_CASE("uninstalling leaves no trace, and installing after that starts anew")
{
    const database neighbour{with_rowcast};
    const database db;
    db.execute("create table t (id int primary key); create table p (id int primary key) partition by range (id); create table p_1 partition of p default");
    const lines before = traces(db);
    db.execute(install);
    db.execute("select rowcast.watch('t', notify => true), rowcast.watch('p', notify => true); insert into t values (1)");
    REQUIRE(traces(db).size() > before.size() + 20);
    db.execute(uninstall);
    const lines after = traces(db);
    lines left, lost;
    std::set_difference(after.begin(), after.end(), before.begin(), before.end(), std::back_inserter(left));
    std::set_difference(before.begin(), before.end(), after.begin(), after.end(), std::back_inserter(lost));
    CHECK(left == lines{});
    CHECK(lost == lines{});
    CHECK_NOTHROW(db.execute("insert into t values (2); insert into p values (1)"));
    CHECK_NOTHROW(db.execute(uninstall));
    db.execute(install);
    CHECK(db.execute("table rowcast.watched").empty());
    db.execute(uninstall);
}

TEST_CASE("the log has one index, so that writers pay for no more")
{
    const database db{with_rowcast};
    CHECK(db.execute("select from pg_index where indrelid = 'rowcast.change_log'::regclass").size() == 1);
}

TEST_CASE("what is large in the log is compressed by LZ4 where the server has it, also after an upgrade")
{
    const database db{with_rowcast};
    if (!since(14, "compression by LZ4", db))
        return;
    if (!db.execute("select from pg_settings where name = 'default_toast_compression' and 'lz4' = any (enumvals)").size()) {
        WARN("not tested: this PostgreSQL was built without LZ4");
        return;
    }
    const auto used = [&] { return db.execute("select count(*) from pg_attribute where attrelid = 'rowcast.change_log'::regclass and attcompression = 'l'")[0][0].as<int>(); };
    CHECK(used() == 2);
    db.execute("alter table rowcast.change_log alter column new set compression default, alter column old set compression default");
    db.execute(install);
    CHECK(used() == 2);
}

TEST_CASE("a DBA finds every table, column and function of rowcast described")
{
    const database db{with_rowcast};
    CHECK(db.execute("select c.oid::regclass from pg_class c where c.relnamespace = 'rowcast'::regnamespace and c.relkind in ('r', 'v') and obj_description(c.oid, 'pg_class') is null").empty());
    CHECK(db.execute("select obj_description('rowcast'::regnamespace, 'pg_namespace')")[0][0].size() > 10);
}
