#include "cli/diagnosis.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace rowcast;
using Catch::Contains;

namespace {

// What tests of the command (tests/e2e/doctor.cpp) cannot make in a moment.
struct patient {
    postgres::database_status status;
    postgres::database_health health;

    patient()
    {
        status.server_version = "18.1";
        status.tables = {{"public.orders", {"id"}, {"id"}, true, true, "ok", {}}};
        postgres::bridge_status bridge;
        bridge.host = "web-1";
        bridge.retention_age_s = 86400;
        bridge.retention_bytes = 1'000'000'000;
        status.bridges = {bridge};
        health.version = 180001;
        health.role = "bridge";
        health.settings = {{"max_connections", "100"}, {"superuser_reserved_connections", "3"}};
        health.connections = 50;
    }

    std::string said(const config::retention* keep = nullptr) const
    {
        std::string out;
        for (const auto& one : cli::diagnose(status, health, keep)) {
            for (const auto& each : one.findings) {
                out += (each.how_bad == cli::finding::severity::error ? "error: " : "warning: ") + each.what + " | " + each.remedy + "\n";
            }
        }
        return out;
    }
};

} // namespace

TEST_CASE("what is well is said to be, line by line")
{
    const patient one;
    CHECK(one.said().empty());
    const auto all = cli::diagnose(one.status, one.health, nullptr);
    CHECK_FALSE(cli::has_errors(all));
    const std::string text = cli::diagnosis_text(all, cli::painter(false));
    CHECK(std::count(text.begin(), text.end(), '\n') == static_cast<std::ptrdiff_t>(all.size()));
    CHECK_THAT(text, Contains("ok       doorbell\n"));
    for (const auto& each : nlohmann::json::parse(cli::diagnosis_json(all))) {
        CHECK(each.at("severity") == "ok");
    }
}

TEST_CASE("a queue that fills names the oldest transaction, and is an error where the bell stops")
{
    patient one;
    one.status.notification_queue_usage = 0.2;
    CHECK_THAT(one.said(), Contains("warning: the notification queue is 20 % full | find it: select"));
    one.health.transactions = {{7, "shop, worker", "other", "idle in transaction", std::chrono::seconds(1), false, false}};
    one.status.notification_queue_usage = 0.6;
    CHECK_THAT(one.said(), Contains("error: the notification queue is 60 % full | the oldest transaction is of pid 7 (shop, worker, database other): select pg_terminate_backend(7);"));
}

TEST_CASE("a transaction elsewhere matters when it writes, and the more the longer it is open")
{
    patient one;
    one.health.transactions = {{7, "shop", "other", "active", std::chrono::hours(2), false, false}};
    CHECK(one.said().empty());
    one.health.transactions[0].writes = true;
    CHECK_THAT(one.said(), Contains("error: a transaction of pid 7 (shop, database other) is open for 2.0 h, active"));
    one.health.transactions[0].age = std::chrono::minutes(10);
    CHECK_THAT(one.said(), Contains("warning: a transaction of pid 7 (shop, database other) is open for 10 min"));
    one.health.transactions.clear();
    one.health.prepared = {{"it's", "shop", "app", std::chrono::hours(2)}};
    CHECK_THAT(one.said(), Contains("error: the prepared transaction 'it's' (app, database shop) waits for 2.0 h | in that database: rollback prepared 'it''s';"));
}

TEST_CASE("replication that holds back vacuum or fills the disk is found")
{
    patient one;
    one.health.slots = {{"used", true, 5ULL << 30, 10}, {"small", false, 1000, 10}};
    CHECK(one.said().empty());
    one.health.slots[1].kept_bytes = 2ULL << 30;
    CHECK_THAT(one.said(), Contains("warning: the replication slot small, which nobody uses, keeps 2.0 GB of write-ahead log | where it is not needed: select pg_drop_replication_slot('small');"));
    one.health.slots.clear();
    one.health.standbys = {{"replica", 2'000'000}};
    CHECK_THAT(one.said(), Contains("warning: the standby replica holds back vacuum"));
}

TEST_CASE("a log's dead rows, taken connections, other clocks and newer servers are found")
{
    patient one;
    one.health.log_rows = 10;
    one.health.dead_log_rows = 200'000;
    CHECK_THAT(one.said(), Contains("200000 of the log's rows are dead") && Contains("vacuum (verbose) rowcast.change_log;"));
    one = {};
    one.health.connections = 95;
    CHECK_THAT(one.said(), Contains("95 of 97 connections are taken"));
    one = {};
    one.health.clock_ahead = std::chrono::seconds(-90);
    CHECK_THAT(one.said(), Contains("the server's clock is 90 s behind this machine's"));
    one = {};
    one.health.version = 190000;
    CHECK_THAT(one.said(), Contains("this is PostgreSQL 18.1"));
}

TEST_CASE("retention is the configuration's, or else that of the bridges")
{
    patient one;
    one.status.oldest_age_s = 100'000;
    CHECK(one.said().empty());
    const config::retention hour{std::chrono::hours(1), 1ULL << 30};
    CHECK_THAT(one.said(&hour), Contains("the oldest change is 28 h old, and retention is 60 min"));
    one.status.oldest_age_s = 200'000;
    CHECK_THAT(one.said(), Contains("retention is 24 h"));
}
