#include "postgres/administration.hpp"

#include "postgres/embedded_sql.hpp"
#include "postgres/follower.hpp"
#include "postgres/recorder.hpp"
#include "support/database.hpp"

#include <catch2/catch.hpp>

using namespace rowcast;
using Catch::Contains;
using postgres::administration;
using rowcast::support::database;
using rowcast::support::with_rowcast;

namespace {

std::string with_user(const std::string& url, const std::string& user)
{
    const std::string was = "user=postgres";
    std::string changed = url;
    return changed.replace(changed.find(was), was.size(), "user=" + user);
}

} // namespace

TEST_CASE("rowcast is installed, used and removed without a trace")
{
    const database db;
    db.execute("create table orders (id int primary key, v text, secret text)");
    std::vector<std::string> notices;
    administration admin{{.url = db.url()}, [&](const std::string& each) { notices.push_back(each); }};
    CHECK_THAT(admin.status().error().message, Contains("not installed") && Contains("rowcast install"));
    for (const char* time : {"first", "second"}) {
        const auto installed = admin.install(postgres::install_sql);
        INFO(time << ": " << installed.error().message);
        REQUIRE(installed.has_value());
    }

    const auto name = admin.watch(
        {.table = "orders", .columns = {}, .except = std::vector<std::string>{"secret"}, .key = {}, .notify = true});
    REQUIRE(name.has_value());
    CHECK(*name == "public.orders");
    const auto tables = admin.watched();
    REQUIRE(tables->size() == 1);
    CHECK(tables->front().columns == std::vector<std::string>{"id", "v"});
    CHECK(tables->front().key == std::vector<std::string>{"id"});
    CHECK(tables->front().triggers == "ok");

    CHECK(*admin.unwatch("public.orders"));
    CHECK_FALSE(*admin.unwatch("orders"));
    const auto removed = admin.uninstall(postgres::uninstall_sql);
    INFO(removed.error().message);
    REQUIRE(removed.has_value());
    CHECK(db.execute("select from pg_namespace where nspname = 'rowcast'").empty());
}

TEST_CASE("what cannot be watched is refused with PostgreSQL's reason and hint")
{
    const database db{with_rowcast};
    db.execute("create view v as select 1 as x; create table keyless (x int)");
    administration admin{{.url = db.url()}};
    CHECK_THAT(admin.watch({.table = "v", .columns = {}, .except = {}, .key = {}, .notify = true}).error().message,
               Contains("hint: "));
    CHECK_THAT(
        admin.watch({.table = "nothing", .columns = {}, .except = {}, .key = {}, .notify = true}).error().message,
        Contains("relation \"nothing\" does not exist"));
    CHECK_THAT(
        admin.watch({.table = "keyless", .columns = {}, .except = {}, .key = {}, .notify = true}).error().message,
        Contains("key"));
    CHECK_THAT(admin.grant_bridge("no such role").error().message, Contains("no such role"));
}

TEST_CASE("the status shows tables, the log, and who is connected")
{
    const database db{with_rowcast};
    administration admin{{.url = db.url()}};
    db.execute("create table t (id int primary key); select rowcast.watch('t', notify => true)");
    test::recorder got;
    postgres::follower_options options;
    options.connection.url = db.url();
    options.connection.purpose = "rowcast bridge"; // as app names it
    const postgres::follower follower{options, got.callbacks(), got.sink()};
    got.wait_for_start();
    db.execute("insert into t values (1)");
    got.wait_for_changes(1);
    const auto status = admin.status();
    REQUIRE(status.has_value());
    CHECK(status->tables.size() == 1);
    CHECK(status->log_bytes > 8192);
    CHECK_FALSE(status->oldest_change.empty());
    CHECK(status->bridges.size() == 1);
    CHECK(status->doorbell_holder.empty());
    CHECK(status->timeline == 1);

    pqxx::connection other = db.connect();
    pqxx::nontransaction{other}.exec("select pg_advisory_lock(lock_class, lock_key) from rowcast.settings");
    CHECK_THAT(admin.status()->doorbell_holder, Contains("pid "));
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
        CHECK(admin.grant_bridge(role).has_value());
        got.wait_for_start();
        db.execute("insert into t values (1)");
        got.wait_for_changes(1);
        CHECK(administration{options.connection}.watched()->size() == 1);
    }
    drop();
}
