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
    metrics(session_opened{"sse", "a", "", "unix"});
    metrics(session_opened{"sse", "b", "", "unix"});
    metrics(session_closed{"sse", "a", "", 1001, ""});
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
        metrics(session_closed{"websocket", "s", "", code, ""});
    for (int i = 0; i < 1000; ++i)
        metrics(request_refused{"t" + std::to_string(i), "c" + std::to_string(i), ""});
    const std::string text = metrics.exposition();
    CHECK_THAT(text, Contains("\nrowcast_sessions_closed_total{code=\"other\",transport=\"websocket\"} 1000\n"));
    CHECK_THAT(text, Contains("\nrowcast_requests_refused_total{code=\"other\",transport=\"other\"} 1000\n"));
}

TEST_CASE("a delivery takes from the log to the socket, without what the clocks are apart")
{
    using namespace std::chrono_literals;
    metrics_sink metrics;
    metrics(database_stands{.log_bytes = 4096, .log_age = 60s, .notification_queue = 0, .clock_offset = 3600s, .clock_error = 1ms});
    const auto database_now = std::chrono::system_clock::now() + 3600s;
    metrics(events_sent{"websocket", 5, 100, database_now - 3s});
    metrics(events_sent{"websocket", 1, 100, database_now + 3s}); // as if before it was there: at once
    metrics(events_sent{"websocket", 1, 100});                    // nothing is known
    const std::string text = metrics.exposition();
    CHECK_THAT(text, Contains("\nrowcast_delivery_seconds_count{transport=\"websocket\"} 2\n"));
    CHECK_THAT(text, Contains("\nrowcast_delivery_seconds_bucket{transport=\"websocket\",le=\"0.001\"} 1\n"));
    CHECK_THAT(text, Contains("\nrowcast_delivery_seconds_bucket{transport=\"websocket\",le=\"2.5\"} 1\n"));
    CHECK_THAT(text, Contains("\nrowcast_delivery_seconds_bucket{transport=\"websocket\",le=\"5\"} 2\n"));
    CHECK_THAT(text, Contains("\nrowcast_delivery_seconds_bucket{transport=\"websocket\",le=\"+Inf\"} 2\n"));
    CHECK_THAT(text, Contains("\nrowcast_delivery_seconds_sum{transport=\"websocket\"} 3"));
    CHECK_THAT(text, Contains("\nrowcast_delivery_seconds_count{transport=\"poll\"} 0\n"));
    CHECK_THAT(text, Contains("\nrowcast_change_log_bytes 4096\n"));
}

TEST_CASE("what somebody catches up with was late for a minute, and then nobody was there")
{
    using namespace std::chrono_literals;
    metrics_sink metrics;
    const auto now = std::chrono::system_clock::now();
    metrics(events_sent{"poll", 1, 10, now - 20s, true});
    metrics(events_sent{"poll", 1, 10, now - 2h, true});
    metrics(events_sent{"sse", 1, 10, now - 2h, false}); // live: the bridge is that late
    const std::string text = metrics.exposition();
    CHECK_THAT(text, Contains("\nrowcast_delivery_seconds_count{transport=\"poll\"} 1\n"));
    CHECK_THAT(text, Contains("\nrowcast_delivery_seconds_count{transport=\"sse\"} 1\n"));
}

TEST_CASE("who comes back, who polls and why, and what is asked for are counted")
{
    metrics_sink metrics;
    metrics(came_back{"websocket", "resumed", true});
    metrics(came_back{"websocket", "cursor_expired", false});
    metrics(came_back{"poll", "surprise", false});
    metrics(polled{true});
    metrics(polled{false});
    metrics(request_made{"sse"});
    metrics(request_made{"teapot"});
    const std::string text = metrics.exposition();
    CHECK_THAT(text, Contains("\nrowcast_reconnects_total{transport=\"websocket\"} 1\n"));
    CHECK_THAT(text, Contains("\nrowcast_resumes_total{outcome=\"resumed\",transport=\"websocket\"} 1\n"));
    CHECK_THAT(text, Contains("\nrowcast_resumes_total{outcome=\"cursor_expired\",transport=\"websocket\"} 1\n"));
    CHECK_THAT(text, Contains("\nrowcast_resumes_total{outcome=\"other\",transport=\"poll\"} 1\n"));
    CHECK_THAT(text, Contains("\nrowcast_polls_total{reason=\"fallback\"} 1\n"));
    CHECK_THAT(text, Contains("\nrowcast_polls_total{reason=\"rollout\"} 1\n"));
    CHECK_THAT(text, Contains("\nrowcast_requests_total{transport=\"sse\"} 1\n"));
    CHECK_THAT(text, Contains("\nrowcast_requests_total{transport=\"http\"} 1\n"));
}

TEST_CASE("while polling is forced nobody is offered anything else, whatever the percentages are")
{
    metrics_sink metrics;
    metrics(rollout_stands{.websocket = 20, .sse = 100});
    CHECK_THAT(metrics.exposition(), Contains("\nrowcast_rollout_ratio{transport=\"websocket\"} 0.2\n"));
    metrics(rollout_stands{.websocket = 20, .sse = 100, .force_polling = true, .opt_in = 1, .opt_out = 0, .as_configured = false});
    const std::string text = metrics.exposition();
    CHECK_THAT(text, Contains("\nrowcast_rollout_ratio{transport=\"websocket\"} 0\n"));
    CHECK_THAT(text, Contains("\nrowcast_polling_forced 1\n"));
    CHECK_THAT(text, Contains("\nrowcast_rollout_as_configured 0\n"));
}

TEST_CASE("the process has the metrics that every process has")
{
    const std::string text = metrics_sink{}.exposition();
    CHECK_THAT(text, Contains("# TYPE process_cpu_seconds_total counter\n"));
    const auto value = [&](const std::string& name) { return std::stod(text.substr(text.find("\n" + name + " ") + name.size() + 2)); };
    CHECK(value("process_resident_memory_bytes") > 1e6);
    CHECK(value("process_open_fds") >= 3);
    CHECK(value("process_max_fds") > value("process_open_fds"));
    CHECK(value("process_start_time_seconds") > 1.7e9);
}
