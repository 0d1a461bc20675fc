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
    status.bridges = {{123, "rowcast_bridge", "10.0.0.7", "2026-11-21 09:00:00.5+00"}};
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
    CHECK_THAT(text, Contains("rowcast_bridge from 10.0.0.7, process 123, since 2026-11-21 09:00:00\n"));
    CHECK_THAT(text, !Contains("!"));
}

TEST_CASE("what is wrong is said with what to do")
{
    auto status = healthy();
    status.tables[0].triggers = "missing";
    status.bridges.clear();
    status.notification_queue_usage = 0.4;
    const std::string text = said(status);
    CHECK_THAT(text, Contains("rowcast watch public.orders"));
    CHECK_THAT(text, Contains("rowcast serve"));
    CHECK_THAT(text, Contains("queue is 40 % full"));
    status.tables.clear();
    CHECK_THAT(said(status), Contains("rowcast watch TABLE"));
}

TEST_CASE("as JSON every member is there")
{
    postgres::database_status status;
    CHECK_THAT(cli::status_json(status), Contains("\"tables\": []") && Contains("\"oldest_change\": null") &&
                                             Contains("\"doorbell_holder\": null") && Contains("\"bridges\": []"));
}
