#include "postgres/administration.hpp"

#include "core/version.hpp"
#include "postgres/bridge_register.hpp"
#include "postgres/embedded_sql.hpp"
#include "postgres/follower.hpp"
#include "postgres/recorder.hpp"
#include "sql/temporary_role.hpp"
#include "support/database.hpp"
#include "support/free_port.hpp"
#include "support/result.hpp"

#include <catch2/catch.hpp>

using namespace rowcast;
using Catch::Contains;
using postgres::administration;
using rowcast::support::database;
using rowcast::support::with_rowcast;
using rowcast::test::temporary_role;

namespace {

using names = std::vector<std::string>;

// "//USER:PASSWORD@127.0.0.1:..." in place of the superuser's.
std::string as_user(const std::string& tcp_url, const std::string& user, const std::string& password)
{
    return "postgresql://" + user + ":" + password + tcp_url.substr(tcp_url.rfind('@'));
}

std::string with_user(const std::string& url, const std::string& user)
{
    const std::string was = "user=postgres";
    std::string changed = url;
    return changed.replace(changed.find(was), was.size(), "user=" + user);
}

postgres::watch_options whole(const std::string& table)
{
    postgres::watch_options options;
    options.table = table;
    options.notify = true; // the cluster allows two-phase commit
    return options;
}

template <class T>
std::string refusal(const core::result<T>& answer)
{
    return answer ? "" : answer.error().message;
}

} // namespace

TEST_CASE("install is repeated without harm, and uninstall leaves nothing")
{
    const database db;
    names notices;
    administration admin({.url = db.url()}, [&](const std::string& text) { notices.push_back(text); });
    REQUIRE(admin.install(postgres::install_sql));
    db.execute("create table t (id int primary key)");
    REQUIRE(admin.watch(whole("t")));
    const auto log_id = admin.status()->log_id;
    REQUIRE(admin.install(postgres::install_sql));
    CHECK(admin.status()->log_id == log_id);
    CHECK(admin.watched()->size() == 1);
    REQUIRE(admin.uninstall(postgres::uninstall_sql));
    CHECK(db.execute("select to_regnamespace('rowcast')")[0][0].is_null());
    CHECK_THAT(refusal(admin.status()),
               Contains("rowcast is not installed in") && Contains(db.name()) && Contains("rowcast install"));
    CHECK_THAT(refusal(admin.watched()),
               Contains("hint: rowcast is not installed in this database, or is too old: run `rowcast install`."));
}

TEST_CASE("install without the rights for it says which to ask for")
{
    const database neighbour{with_rowcast}; // has made the cluster's roles
    const database db;
    const temporary_role dba{db, "dba", "login password 'pw'"};
    const auto answer = administration({.url = as_user(db.tcp_url(), dba.name, "pw")}).install(postgres::install_sql);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == core::error_code::forbidden);
    CHECK_THAT(answer.error().message,
               Contains(dba.name + " may not create a schema in database " + db.name() +
                        "\nhint: Ask for: grant create on database " + db.name() + " to " + dba.name + ";\n("));
    CHECK_THAT(answer.error().message, Contains("/" + db.name() + " as user " + dba.name + ", SQLSTATE 42501)"));
    CHECK_THAT(answer.error().message, !Contains("CONTEXT") && !Contains("pw@"));
}

TEST_CASE("a watched table is shown with what it is watched for, until it is unwatched")
{
    const database db{with_rowcast};
    db.execute(
        R"(create schema "My Shop"; create table "My Shop"."Odd ""T"", it's" ("I d" int primary key, "x,y" text, "q""\" text, secret text);
                  create table few (id int, a int not null unique, b int))");
    administration admin({.url = db.url()});
    postgres::watch_options wanted = whole(R"("My Shop"."Odd ""T"", it's")");
    wanted.except = names{"secret"};
    const auto odd = admin.watch(wanted);
    REQUIRE(odd);
    CHECK(*odd == R"("My Shop"."Odd ""T"", it's")");
    wanted = whole("public.few");
    wanted.columns = names{"a", "b"};
    wanted.key = names{"a"};
    wanted.notify = false;
    REQUIRE(admin.watch(wanted));

    const auto tables = admin.watched();
    REQUIRE(tables);
    REQUIRE(tables->size() == 2);
    const auto& first = tables->front();
    CHECK(first.name == *odd);
    CHECK(first.columns == names{"I d", "x,y", "q\"\\"});
    CHECK(first.key == names{"I d"});
    CHECK(first.all_columns);
    CHECK(first.notify);
    CHECK(first.triggers == "ok");
    CHECK(first.misordering_triggers.empty());
    const auto& second = tables->back();
    CHECK(second.columns == names{"a", "b"});
    CHECK(second.key == names{"a"});
    CHECK_FALSE(second.all_columns);
    CHECK_FALSE(second.notify);

    CHECK(*admin.unwatch("few"));
    CHECK_FALSE(*admin.unwatch("few"));
    CHECK(admin.watched()->size() == 1);
    CHECK_THAT(refusal(admin.unwatch("nowhere")),
               Contains("relation \"nowhere\" does not exist") && Contains("SQLSTATE 42P01"));
}

TEST_CASE("a table without a schema is found by the user's own search_path")
{
    const database db{with_rowcast};
    db.execute(
        "create schema shop; create table shop.orders (id int primary key); create table orders (id int primary key); "
        "alter database " +
        db.name() + " set search_path = shop, public");
    administration admin({.url = db.url()});
    CHECK(*admin.watch(whole("orders")) == "shop.orders");
    CHECK(*admin.watch(whole("public.orders")) == "public.orders");
    CHECK(*admin.unwatch("orders"));
    CHECK(admin.watched()->front().name == "public.orders");
}

TEST_CASE("a refused watch shows PostgreSQL's hint, and the statement it was part of is not shown")
{
    const database db{with_rowcast};
    db.execute("create view v as select 1");
    const auto answer = administration({.url = db.url()}).watch(whole("v"));
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == core::error_code::bad_request);
    CHECK_THAT(answer.error().message,
               Catch::StartsWith("public.v is a view: it cannot be watched\nhint: Watch the tables that it reads.\n("));
    CHECK_THAT(answer.error().message,
               Catch::EndsWith("SQLSTATE 42809)") && !Contains("CONTEXT") && !Contains("PL/pgSQL"));
}

TEST_CASE("warnings arrive as PostgreSQL says them")
{
    const database db{with_rowcast};
    names notices;
    administration admin({.url = db.url()}, [&](const std::string& text) { notices.push_back(text); });
    REQUIRE(
        admin.install("do $$ begin raise warning 'careful' using detail = 'd', hint = 'h'; raise notice 'n'; end $$"));
    CHECK(notices == names{"WARNING: careful\n  detail: d\n  hint: h", "NOTICE: n"});
    // Also those before an error; and nothing of an error is a notice.
    CHECK_THAT(
        refusal(admin.install("do $$ begin raise notice 'before'; raise 'wrong' using detail = 'two\nlines'; end $$")),
        Catch::StartsWith("wrong\ndetail: two\nlines\n("));
    CHECK(notices.size() == 3);
}

TEST_CASE("status tells the versions, the log, who is connected and who holds the doorbell")
{
    const database db{with_rowcast};
    administration admin({.url = db.url()});
    auto status = admin.status();
    REQUIRE(status);
    CHECK_THAT(status->server_version, Catch::Matches("[0-9]+[.].*"));
    CHECK(status->sql_version == core::version());
    CHECK(status->log_id == db.execute("select log_id from rowcast.settings")[0][0].c_str());
    CHECK(status->timeline == 1);
    CHECK(status->oldest_change.empty());
    CHECK(status->bridges.empty());
    CHECK(status->doorbell_holder.empty());
    CHECK(status->notification_queue_usage >= 0);

    db.execute("create table t (id int primary key)");
    REQUIRE(admin.watch(whole("t")));
    db.execute("insert into t values (1)");
    postgres::connection reporting{{.url = db.url(), .read_only = false}};
    postgres::bridge_report report;
    report.id = "11111111-2222-4333-8444-555555555555";
    report.host = "web-1";
    report.sessions = 7;
    report.slowest = 3;
    report.retention_age = std::chrono::hours(1);
    CHECK(postgres::bridge_register().report(reporting, report));
    pqxx::connection other = db.connect();
    pqxx::nontransaction work{other};
    // A negative key of two halves, as settings may hold it.
    db.execute("update rowcast.settings set lock_key = -5");
    work.exec(
        "set application_name = 'the holder'; select pg_advisory_lock(lock_class, lock_key) from rowcast.settings");

    status = admin.status();
    REQUIRE(status);
    CHECK(status->tables.size() == 1);
    CHECK(status->log_bytes > 0);
    CHECK(status->oldest_change.size() > 10);
    CHECK(status->oldest_age_s >= 0);
    REQUIRE(status->bridges.size() == 1);
    const postgres::bridge_status& bridge = status->bridges[0];
    CHECK(bridge.id == report.id);
    CHECK(bridge.host == "web-1");
    CHECK(bridge.version == core::version());
    CHECK(bridge.connected);
    CHECK(bridge.user == reporting.user());
    CHECK(bridge.address.empty());
    CHECK(bridge.sessions == 7);
    CHECK(bridge.position.empty());
    CHECK(bridge.retention_age_s == 3600);
    REQUIRE(bridge.slowest);
    CHECK(bridge.slowest->changes == 1);
    CHECK(bridge.slowest->behind_s >= 0);
    CHECK_FALSE(bridge.slowest->expired);
    CHECK(status->doorbell_holder == "pid " + std::to_string(other.backendpid()) + " (the holder)");
}

TEST_CASE("status in a copy of a database looks, and leaves the renewal to a bridge")
{
    const database db{with_rowcast};
    db.execute("update rowcast.settings set database_oid = 1");
    const auto before = db.execute("select log_id from rowcast.settings");
    const auto status = administration({.url = db.url()}).status();
    REQUIRE(status);
    CHECK(status->log_id == before[0][0].c_str());
    CHECK(status->log_id == db.execute("select log_id from rowcast.settings")[0][0].c_str());
}

TEST_CASE("a role has what the bridge needs after grant_bridge, and is told what to ask for before")
{
    const database db{with_rowcast};
    const std::string role = db.name() + "_bridge";
    db.execute("create role " + role +
               " login; create table t (id int primary key); select rowcast.watch('t', notify => true)");
    const auto drop = [&] { db.execute("drop owned by " + role + "; drop role " + role); };
    {
        test::recorder got;
        postgres::follower_options options;
        options.connection.url = with_user(db.url(), role);
        const postgres::follower follower{options, got.callbacks(), got.sink()};
        got.wait_until([&] { return !got.observations.empty(); }, "a refusal");
        CHECK_THAT(std::get<observe::database_lost>(got.observations[0]).reason,
                   Contains("rowcast.grant_bridge('" + role + "')"));
        administration admin{{.url = db.url()}};
        CHECK_THAT(refusal(administration{options.connection}.watched()),
                   Contains("hint: Let the owner of rowcast run: select rowcast.grant_bridge('" + role + "')"));
        CHECK_THAT(refusal(admin.grant_bridge("no \"such\" role")),
                   Contains(R"(role "no "such" role" does not exist)"));
        CHECK(admin.grant_bridge(role).has_value());
        got.wait_for_start();
        db.execute("insert into t values (1)");
        got.wait_for_changes(1);
        CHECK(administration{options.connection}.watched()->size() == 1);
        CHECK(administration{options.connection}.status().has_value());
    }
    drop();
}

TEST_CASE("whoever cannot connect reads where, why, and what to look at, and never the password")
{
    const database db;
    const temporary_role user{db, "user", "login password 'right'"};
    const auto status = [](const std::string& url) { return administration({.url = url}).status(); };
    const std::string port =
        db.tcp_url().substr(db.tcp_url().rfind(':') + 1, db.tcp_url().rfind('/') - db.tcp_url().rfind(':') - 1);

    const auto wrong = status(as_user(db.tcp_url(), user.name, "wr0ng"));
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().code == core::error_code::unavailable);
    CHECK_THAT(wrong.error().message, Catch::StartsWith("cannot connect to 127.0.0.1:" + port + "/" + db.name() +
                                                        " as user " + user.name + ": "));
    CHECK_THAT(wrong.error().message,
               Catch::EndsWith("\nThe user name or the password in the URL is wrong.") && !Contains("wr0ng"));

    CHECK_THAT(refusal(status(support::with_database(db.tcp_url(), "nowhere"))),
               Contains("database \"nowhere\" does not exist") &&
                   Catch::EndsWith("\nThere is no such database on this server; check the end of the URL."));

    const auto nobody = std::to_string(support::free_port());
    CHECK_THAT(refusal(status("postgresql://u:pw@127.0.0.1:" + nobody + "/d")),
               Catch::StartsWith("cannot connect to 127.0.0.1:" + nobody + "/d as user u: ") &&
                   Contains("Connection refused") &&
                   Catch::EndsWith("\nIs PostgreSQL running there, and does listen_addresses include this address?"));

    CHECK_THAT(refusal(status("postgresql://u:pw@127.0.0.1:port/d")),
               Contains("invalid integer value \"port\"") && !Contains("pw"));
    CHECK_THAT(refusal(status("postgresql://u:pw@[::1/d")),
               Contains("the database URL cannot be read") && !Contains("pw"));
}

TEST_CASE("a server that goes down during a command is a lost connection, not a refusal")
{
    const database db{with_rowcast};
    const auto answer = administration({.url = db.url()}).install("select pg_terminate_backend(pg_backend_pid())");
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == core::error_code::unavailable);
    CHECK_THAT(answer.error().message,
               Catch::StartsWith("lost the connection to ") && Contains("the server ended the session or is gone"));
}

TEST_CASE("what the watched tables take is told, with their partitions, and whether the caller may watch others")
{
    const database db(with_rowcast);
    db.execute("create table plain (id int primary key, body text); insert into plain select i, repeat('x', 100) from generate_series(1, 1000) i;"
               "create table parted (id int primary key) partition by range (id);"
               "create table parted_1 partition of parted for values from (0) to (10000); insert into parted select i from generate_series(1, 500) i;"
               "select rowcast.watch(name, notify => true) from unnest('{plain,parted}'::regclass[]) name");
    db.execute("analyze");
    const auto sizes = administration({.url = db.url()}).sizes();
    REQUIRE(sizes);
    CHECK(sizes->may_watch);
    REQUIRE(sizes->tables.size() == 2);
    CHECK(sizes->tables[0].name == "public.parted");
    CHECK(sizes->tables[0].rows == 500);
    CHECK(sizes->tables[1].rows == 1000);
    CHECK(sizes->tables[1].bytes > 100'000);

    const temporary_role bridge{db, "bridge", "login"};
    db.execute("select rowcast.grant_bridge('" + bridge.name + "')");
    const auto seen = administration({.url = with_user(db.url(), bridge.name)}).sizes();
    REQUIRE(seen);
    CHECK_FALSE(seen->may_watch);
    CHECK(seen->tables[1].bytes == sizes->tables[1].bytes);
}
