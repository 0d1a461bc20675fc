#include "observe/metrics_sink.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace rowcast::observe;
using Catch::Contains;

TEST_CASE("what is known beforehand is there with zero before it happens")
{
    const std::string text = metrics_sink{}.exposition();
    CHECK_THAT(text, Contains("\nrowcast_changes_read_total 0\n"));
    CHECK_THAT(text, Contains("\nrowcast_events_sent_total{transport=\"websocket\"} 0\n"));
    CHECK_THAT(text, Contains("\nrowcast_database_connected 0\n"));
    CHECK_THAT(text, Contains("# TYPE rowcast_batch_read_seconds histogram\n"));
    CHECK_THAT(text, Contains("rowcast_build_info{version=\""));
}

TEST_CASE("batches, changes and their time are counted")
{
    metrics_sink metrics;
    metrics(batch_read{3, 500, std::chrono::microseconds{2000}});
    metrics(batch_read{0, 0, std::chrono::microseconds{100}});
    const std::string text = metrics.exposition();
    CHECK_THAT(text, Contains("\nrowcast_batches_total 1\n"));
    CHECK_THAT(text, Contains("\nrowcast_changes_read_total 3\n"));
    CHECK_THAT(text, Contains("\nrowcast_changes_read_bytes_total 500\n"));
    CHECK_THAT(text, Contains("\nrowcast_batch_read_seconds_count 2\n"));
}

TEST_CASE("the connection's state follows the connection")
{
    metrics_sink metrics;
    metrics(database_connected{});
    CHECK_THAT(metrics.exposition(), Contains("\nrowcast_database_connected 1\n"));
    metrics(database_lost{});
    CHECK_THAT(metrics.exposition(), Contains("\nrowcast_database_connected 0\n"));
}

TEST_CASE("the doorbell is in one state at a time")
{
    metrics_sink metrics;
    metrics(doorbell_changed{"taking"});
    metrics(doorbell_changed{"quiet"});
    const std::string text = metrics.exposition();
    CHECK_THAT(text, Contains("\nrowcast_doorbell_state{state=\"quiet\"} 1\n"));
    CHECK_THAT(text, Contains("\nrowcast_doorbell_state{state=\"taking\"} 0\n"));
}

TEST_CASE("sessions are a gauge by transport")
{
    metrics_sink metrics;
    metrics(session_opened{"sse", "a", ""});
    metrics(session_opened{"sse", "b", ""});
    metrics(session_closed{"sse", "a", 1001, ""});
    const std::string text = metrics.exposition();
    CHECK_THAT(text, Contains("\nrowcast_sessions{transport=\"sse\"} 1\n"));
    CHECK_THAT(text, Contains("\nrowcast_sessions_opened_total{transport=\"sse\"} 2\n"));
    CHECK_THAT(text, Contains("} 1\n"));
}

TEST_CASE("what is refused is counted by code of the protocol, or by HTTP status")
{
    metrics_sink metrics;
    metrics(request_refused{"websocket", "bad_filter", ""});
    metrics(request_refused{"http", "404", "/nowhere"});
    const std::string text = metrics.exposition();
    CHECK_THAT(text, Contains("\nrowcast_requests_refused_total{code=\"bad_filter\",transport=\"websocket\"} 1\n"));
    CHECK_THAT(text, Contains("\nrowcast_requests_refused_total{code=\"404\",transport=\"http\"} 1\n"));
}

TEST_CASE("no client can make series: unknown codes are counted as other")
{
    metrics_sink metrics;
    for (unsigned code = 3000; code < 4000; ++code)
        metrics(session_closed{"websocket", "s", code, ""});
    for (int i = 0; i < 1000; ++i)
        metrics(request_refused{"t" + std::to_string(i), "c" + std::to_string(i), ""});
    const std::string text = metrics.exposition();
    CHECK_THAT(text, Contains("\nrowcast_sessions_closed_total{code=\"other\",transport=\"websocket\"} 1000\n"));
    CHECK_THAT(text, Contains("\nrowcast_requests_refused_total{code=\"other\",transport=\"other\"} 1000\n"));
}
