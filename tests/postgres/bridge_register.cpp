#include "postgres/bridge_register.hpp"

#include "sql/temporary_role.hpp"
#include "support/database.hpp"
#include "support/eventually.hpp"

#include <catch2/catch.hpp>

using namespace rowcast;
using namespace std::chrono_literals;
using rowcast::support::database;
using rowcast::support::with_rowcast;

namespace {

postgres::bridge_report report_of(const char* id)
{
    postgres::bridge_report report;
    report.id = id;
    report.host = "here";
    report.process = 7;
    report.started = std::chrono::system_clock::now();
    report.sessions = 2;
    report.doorbell = "sleeping";
    report.retention_age = 1h;
    report.retention_bytes = 1000;
    return report;
}

constexpr const char* first = "00000000-0000-4000-8000-000000000001";
constexpr const char* second = "00000000-0000-4000-8000-000000000002";

postgres::connection connect(const database& db)
{
    return postgres::connection{{.url = db.url(), .read_only = false}};
}

std::size_t bridges(const database& db)
{
    return db.execute("select from rowcast.bridges").size();
}

}

TEST_CASE("a bridge writes its row where there is something new, and draws no transaction id where there is not")
{
    const database db{with_rowcast};
    postgres::connection on = connect(db);
    postgres::bridge_register entry;
    auto report = report_of(first);
    CHECK(entry.report(on, report));
    CHECK_FALSE(entry.report(on, report));
    report.position = 1000; // it moves all the time
    CHECK_FALSE(entry.report(on, report));
    report.sessions = 3;
    CHECK(entry.report(on, report));
    const auto row = db.execute("select sessions, position, backend, extract(epoch from retention_age), started < seen from rowcast.bridges")[0];
    CHECK(row[0].as<int>() == 3);
    CHECK(row[1].as<int>() == 1000);
    CHECK(row[2].as<int>() == on.backend());
    CHECK(row[3].as<double>() == 3600);
    CHECK(row[4].as<bool>());

    postgres::connection another = connect(db); // its row must bear the session that it can be known by
    CHECK(entry.report(another, report));
    CHECK(bridges(db) == 1);
}

TEST_CASE("a bridge is told how old the oldest change is that a client of it lacks")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key); select rowcast.watch('t', notify => true); insert into t values (1);"
               "update rowcast.change_log set at = at - interval '1 hour'");
    db.execute("insert into t values (2)");
    postgres::connection on = connect(db);
    postgres::bridge_register entry;
    auto report = report_of(first);
    CHECK(entry.report(on, report)->count() == 0);
    const auto xids = db.execute("select xid from rowcast.change_log order by xid");
    report.slowest = xids[0][0].as<core::transaction_id>();
    CHECK(entry.report(on, report)->count() >= 3600);
    report.slowest = xids[1][0].as<core::transaction_id>();
    CHECK(entry.report(on, report)->count() < 3600);
    report.slowest = *report.slowest + 1;
    CHECK(entry.report(on, report)->count() == 0);
}

TEST_CASE("a bridge takes its row along, and that of one which was killed goes with the next report")
{
    const database db{with_rowcast};
    postgres::connection on = connect(db);
    postgres::bridge_register here;
    {
        postgres::connection doomed = connect(db);
        postgres::bridge_register there;
        CHECK(there.report(doomed, report_of(second)));
        CHECK(here.report(on, report_of(first)));
        CHECK(bridges(db) == 2);
    }
    auto report = report_of(first);
    CHECK(support::eventually([&] {
        ++report.sessions;
        here.report(on, report);
        return bridges(db) == 1;
    }));
    here.leave(on);
    CHECK(bridges(db) == 0);
}

// Serial: an old snapshot of another test would keep dead rows.
TEST_CASE("reporting all day leaves the table as small as it was", "[serial]")
{
    const database db{with_rowcast};
    postgres::connection on = connect(db);
    postgres::bridge_register entry;
    auto report = report_of(first);
    report.slowest = 1; // is reported each time
    for (int i = 0; i < 2000; ++i) {
        report.position = 1000 + i;
        entry.report(on, report);
    }
    CHECK(db.execute("select pg_relation_size('rowcast.bridges') / current_setting('block_size')::int")[0][0].as<int>() <= 2);
    CHECK(db.execute("select pg_relation_size('rowcast.bridges_pkey') / current_setting('block_size')::int")[0][0].as<int>() <= 2);
}

TEST_CASE("a role with a bridge's rights may report, and others may not")
{
    const database db{with_rowcast};
    const test::temporary_role bridge{db, "bridge"};
    const test::temporary_role other{db, "other"};
    db.execute("select rowcast.grant_bridge('" + bridge.name + "'); grant usage on schema rowcast to " + other.name);
    const auto as_bridge = bridge.connect();
    const auto as_other = other.connect();
    const std::string report = "select rowcast.report_bridge('{\"id\":\"" + std::string(first) +
                               "\",\"host\":\"h\",\"process\":1,\"version\":\"1\",\"started\":\"2026-01-01\",\"sessions\":1,\"subscriptions\":1,"
                               "\"catching_up\":0,\"doorbell\":\"quiet\",\"retention_age\":\"1 day\",\"retention_bytes\":1}')";
    CHECK_NOTHROW(pqxx::nontransaction{*as_bridge}.exec(report));
    CHECK(pqxx::nontransaction{*as_bridge}.exec("select doorbell from rowcast.bridges").size() == 1);
    CHECK_THROWS_AS(pqxx::nontransaction{*as_other}.exec(report), pqxx::insufficient_privilege);
    CHECK_THROWS_AS(pqxx::nontransaction{*as_bridge}.exec("delete from rowcast.bridges"), pqxx::insufficient_privilege);
}
