#include "cli/status_text.hpp"

#include <catch2/catch.hpp>

using namespace rowcast;
using Catch::Contains;

namespace {

postgres::database_status healthy()
{
    postgres::database_status status;
    status.server_version = "15.8";
    status.sql_version = "0.1.0";
    status.log_id = "f3";
    status.timeline = 1;
    status.tables = {{"public.orders", {"id"}, {"id"}, true, true, "ok", {}}};
    status.log_bytes = 3 * 1024 * 1024;
    status.log_rows = 12;
    status.oldest_change = "2026-11-21 10:00:00+00";
    status.oldest_age_s = 7200;
    postgres::bridge_status bridge;
    bridge.host = "web-1";
    bridge.process = 123;
    bridge.user = "rowcast_bridge";
    bridge.started = "2026-11-21 09:00:00.5+00";
    bridge.sessions = 40;
    bridge.subscriptions = 1;
    bridge.retention_age_s = 86400;
    bridge.retention_bytes = 2'000'000'000;
    status.bridges = {bridge};
    return status;
}

std::string said(const postgres::database_status& status)
{
    return cli::status_text(status, cli::painter{false}, 100);
}

}

TEST_CASE("a status says what is watched, how large the log is and who reads it")
{
    const std::string text = said(healthy());
    CHECK_THAT(text, Contains(" public.orders | all     | id  | rings    | ok\n"));
    CHECK_THAT(text, Contains("about 12 changes, 3.0 MB; the oldest is 2.0 h old"));
    CHECK_THAT(text, Contains("Bridges:     web-1, process 123, as rowcast_bridge, since 2026-11-21 09:00:00\n"
                              "             40 sessions, 1 subscription, 0 catching up; nobody is behind\n"));
    CHECK_THAT(text, !Contains("!"));
}

TEST_CASE("what is wrong is said with what to do")
{
    auto status = healthy();
    status.tables[0].triggers = "missing";
    status.bridges.clear();
    status.notification_queue_usage = 0.4;
    const std::string text = said(status);
    CHECK_THAT(text, Contains("! public.orders: triggers missing") && Contains("rowcast doctor"));
    CHECK_THAT(text, Contains("rowcast serve"));
    CHECK_THAT(text, Contains("queue is 40 % full"));
    status.tables.clear();
    CHECK_THAT(said(status), Contains("rowcast watch TABLE"));
}

TEST_CASE("the slowest cursor is shown, and what retention will do to it")
{
    auto status = healthy();
    auto& bridge = status.bridges[0];
    bridge.catching_up = 3;
    bridge.slowest = postgres::bridge_status::slowest_cursor{600, 5, false, false};
    CHECK_THAT(said(status), Contains("3 catching up; the slowest cursor is 10 min and 5 changes behind\n") && !Contains("!"));

    bridge.slowest->behind_s = 50'000;
    CHECK_THAT(said(status), Contains("! web-1, process 123: the slowest cursor is 14 h behind, and retention removes what is older than 24 h\n"));

    bridge.slowest->behind_s = 60;
    bridge.retention_bytes = 2 * 1024 * 1024; // of the log's 3 MB it lacks 5 changes of 12
    CHECK_THAT(said(status), Contains("takes 1.2 MB of the log, and retention removes what is beyond 2.0 MB"));

    bridge.slowest->expired = true;
    CHECK_THAT(said(status), Contains("retention has passed the slowest cursor"));
    CHECK_THAT(cli::status_json(status), Contains("\"warning\": \"retention has passed"));

    bridge.slowest = postgres::bridge_status::slowest_cursor{60, 1'000'000, true, false};
    CHECK_THAT(said(status), Contains("more than 1000000 changes behind"));
}

TEST_CASE("a bridge that hangs or is gone is told apart")
{
    auto status = healthy();
    status.bridges[0].seen_s = 300;
    CHECK_THAT(said(status), Contains("has said nothing for 5.0 min; it may hang"));
    status.bridges[0].connected = false;
    CHECK_THAT(said(status), Contains("has no connection any more"));
}

TEST_CASE("as JSON every member is there")
{
    postgres::database_status status;
    CHECK_THAT(cli::status_json(status), Contains("\"tables\": []") && Contains("\"oldest_change\": null") &&
                                             Contains("\"doorbell_holder\": null") && Contains("\"bridges\": []"));
}
