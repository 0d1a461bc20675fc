#include "observe/metrics_sink.hpp"

#include "core/error_code.hpp"
#include "core/version.hpp"
#include "observe/delivery_tally.hpp"
#include "observe/process_metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace rowcast::observe {

namespace {

using namespace std::string_view_literals;

constexpr std::array transports{"websocket"sv, "sse"sv, "poll"sv};
constexpr std::array bell_states{"sleeping"sv, "taking"sv, "quiet"sv, "letting_go"sv};
constexpr std::array resources{"websocket"sv, "sse"sv, "poll"sv, "rows"sv, "session"sv, "http"sv}; // what is asked for; http: anything else
constexpr std::array places{"websocket"sv, "sse"sv, "poll"sv, "rows"sv, "session"sv, "http"sv, "tcp"sv}; // where something is refused
constexpr std::array outcomes{"resumed"sv, "cursor_expired"sv, "cursor_foreign"sv, "cursor_malformed"sv, "permissions_changed"sv};

// What a client that was away for longer catches up with was not late: nobody was there.
constexpr std::chrono::seconds latest_delivery{60};

template <std::size_t Count>
std::string label_of(std::string_view value, const std::array<std::string_view, Count>& known)
{
    return std::string(std::find(known.begin(), known.end(), value) != known.end() ? value : "other"sv);
}

// A client may close with any of four thousand codes.
std::string close_label(unsigned code)
{
    constexpr std::array known{0U, 1000U, 1001U, 1002U, 1006U, 1007U, 1009U, 1011U, 4400U, 4401U, 4403U, 4406U, 4408U, 4429U};
    return std::find(known.begin(), known.end(), code) != known.end() ? std::to_string(code) : "other";
}

// A code of the protocol, or an HTTP status.
std::string error_label(std::string_view code)
{
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    if (code.size() == 3 && (code[0] == '4' || code[0] == '5') && std::all_of(code.begin(), code.end(), digit)) {
        return std::string(code);
    }
    for (int each = 0; each <= static_cast<int>(core::error_code::internal); ++each) {
        if (code == core::to_string(static_cast<core::error_code>(each))) {
            return std::string(code);
        }
    }
    return "other";
}

double now_seconds()
{
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

} // namespace

struct metrics_sink::state {
    using counter = prometheus::Counter;
    using gauge = prometheus::Gauge;

    prometheus::Registry registry;

    prometheus::Family<counter>& counters(const std::string& name, const std::string& help)
    {
        return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
    }

    counter& one(const std::string& name, const std::string& help) { return counters(name, help).Add({}); }

    gauge& level(const std::string& name, const std::string& help)
    {
        return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
    }

    struct traffic {
        gauge* sessions;
        counter* opened;
        counter* reconnects;
        delivery_tally* delivered;
    };

    gauge& connected =
        level("rowcast_database_connected", "1 while the bridge is connected to PostgreSQL and reading.");
    counter& connects = one("rowcast_database_connects_total", "Connections to PostgreSQL that were established.");
    counter& losses = one("rowcast_database_losses_total", "Connections to PostgreSQL that failed or were lost.");
    counter& renewals =
        one("rowcast_change_log_renewals_total", "Times the change log was begun anew (restore, copy, fail-over).");
    counter& batches = one("rowcast_batches_total", "Steps from one snapshot to the next that brought changes.");
    counter& changes = one("rowcast_changes_read_total", "Changes read from the log by the follower.");
    counter& change_bytes =
        one("rowcast_changes_read_bytes_total", "Bytes of changes read from the log by the follower.");
    gauge& last_batch =
        level("rowcast_last_batch_timestamp_seconds", "When the follower last read changes, in Unix time.");
    prometheus::Histogram& read_time =
        prometheus::BuildHistogram()
            .Name("rowcast_batch_read_seconds")
            .Help("Time to read one batch from the change log.")
            .Register(registry)
            .Add({}, prometheus::Histogram::BucketBoundaries{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                             0.5, 1, 2.5, 5, 10});
    counter& flushes = one("rowcast_wal_flushes_forced_total",
                           "Times the bridge flushed the write-ahead log for asynchronous commits.");
    counter& expired = one("rowcast_change_log_expired_total", "Changes that retention removed from the log.");
    counter& refreshed =
        one("rowcast_partitions_refreshed_total", "Tables and partitions whose triggers were put right.");
    counter& bad = one("rowcast_bad_changes_total", "Log rows that could not be read.");
    counter& key_failures = one("rowcast_key_set_failures_total", "Key sets (JWKS) that could not be read and are tried again.");
    prometheus::Family<counter>& reloads = counters("rowcast_reloads_total", "Times the configuration was to be read again.");
    counter& reload_successes = reloads.Add({{"result", "success"}});
    counter& reload_failures = reloads.Add({{"result", "failure"}});
    gauge& last_reload = level("rowcast_last_reload_success_timestamp_seconds",
                               "When the configuration was last read again, in Unix time; 0: not since the start.");
    prometheus::Family<gauge>& offered = prometheus::BuildGauge()
                                             .Name("rowcast_rollout_ratio")
                                             .Help("Part of the users who are offered a transport, without those on lists; 0 while polling is forced.")
                                             .Register(registry);
    gauge& offered_websocket = offered.Add({{"transport", "websocket"}});
    gauge& offered_sse = offered.Add({{"transport", "sse"}});
    gauge& polling_forced = level("rowcast_polling_forced", "1 while nobody is offered anything but polling.");
    gauge& rollout_configured = level("rowcast_rollout_as_configured", "0 while an operator's call holds instead of the configuration.");
    gauge& revoked = level("rowcast_revocations", "Revocations that hold.");
    counter& background_failures =
        one("rowcast_background_failures_total", "Background work that failed and is tried again.");
    prometheus::Family<counter>& closed =
        counters("rowcast_sessions_closed_total", "Sessions that ended, by WebSocket close code.");
    prometheus::Family<counter>& refused =
        counters("rowcast_requests_refused_total", "Requests and messages that were refused, by error code.");
    counter& messages_dropped = one("rowcast_notify_messages_dropped_total", "Messages of NOTIFY that were dropped because too many waited.");
    counter& behind = one("rowcast_sessions_fell_behind_total", "Slow clients that went back to catching up.");
    counter& passes = one("rowcast_catch_up_passes_total", "Passes over the change log; one serves all who wait for it.");
    counter& served = one("rowcast_catch_up_readings_total", "Catch-ups that those passes served.");
    gauge& catching_up = level("rowcast_sessions_catching_up", "Sessions that are being given what they have missed.");
    gauge& slowest_behind =
        level("rowcast_slowest_cursor_age_seconds", "Age of the oldest change that some client has not been given.");
    counter& log_reads = one("rowcast_catch_ups_total", "Passes over the change log that came to its end.");
    counter& log_read_changes = one("rowcast_catch_up_changes_total", "Changes that those passes read.");

    gauge& sets_held = level("rowcast_sets", "Sets that are known: one for each name and parameters.");
    counter& sets_loaded = one("rowcast_sets_loaded_total", "Sets that were read because somebody needed them.");
    counter& sets_evaluated = one("rowcast_sets_evaluated_total", "Sets that were read again because of a change.");
    counter& sets_changed = one("rowcast_sets_changed_total", "Sets that were others then.");
    gauge& sets_misfit = level("rowcast_sets_misfit", "Of them those that give nothing, since a claim or a row is no value for their query.");
    counter& sets_failed = one("rowcast_set_failures_total", "Sets that could not be read.");

    gauge& row_readings = level("rowcast_row_readings", "Clients that are being given initial rows.");
    gauge& waiting_row_readings =
        level("rowcast_row_readings_waiting", "Clients that wait for their turn to be given initial rows.");
    counter& rows = one("rowcast_rows_read_total", "Initial rows given to clients.");
    counter& hidden_rows = one("rowcast_rows_hidden_total",
                               "Initial rows that SQL let through and the rules did not; there should be none.");
    prometheus::Family<counter>& row_outcomes =
        counters("rowcast_row_readings_total", "Readings of initial rows that ended, by error code or ok.");
    prometheus::Histogram& row_time =
        prometheus::BuildHistogram()
            .Name("rowcast_row_reading_seconds")
            .Help("Time to read the initial rows of one client, without its time in the queue.")
            .Register(registry)
            .Add({}, prometheus::Histogram::BucketBoundaries{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
                                                             2.5, 5, 10, 30, 60});

    gauge& publications_waiting =
        level("rowcast_batches_in_flight", "Batches on their way from the hub to the clients' threads; at 16 the follower waits.");
    gauge& messages_waiting = level("rowcast_notify_messages_waiting", "Messages of plain NOTIFY channels that wait for the end of a transaction.");
    gauge& attaching = level("rowcast_subscriptions_waiting", "Subscriptions that wait for the log to be read up to their cursor.");
    counter& evaluations = one("rowcast_permission_evaluations_total", "Times that a change was held against what somebody may see and asked for.");
    counter& matched = one("rowcast_events_matched_total", "Events that came of it: one for all who share a view.");
    gauge& last_read = level("rowcast_last_read_timestamp_seconds", "When the log was last read to its end and all of it handed on, in Unix time.");
    gauge& log_bytes = level("rowcast_change_log_bytes", "Size of the change log with its index.");
    gauge& log_age = level("rowcast_change_log_age_seconds", "Age of the oldest change in the log.");
    gauge& notification_queue = level("rowcast_notification_queue_ratio", "How full PostgreSQL's notification queue is; from 0.5 on the triggers ring no more.");
    gauge& clock_offset = level("rowcast_database_clock_offset_seconds", "By how much the database's clock is ahead of the bridge's.");
    gauge& clock_error = level("rowcast_database_clock_error_seconds", "How far rowcast_database_clock_offset_seconds may be from the truth.");
    std::atomic<double> database_ahead = 0; // seconds
    prometheus::Family<counter>& polls = counters("rowcast_polls_total", "Requests of clients that poll, by why they do.");
    counter& fallback_polls = polls.Add({{"reason", "fallback"}});
    counter& rollout_polls = polls.Add({{"reason", "rollout"}});
    std::map<std::string, counter*, std::less<>> requests;
    std::map<std::string, std::map<std::string, counter*, std::less<>>, std::less<>> resumes; // by transport, by outcome
    std::array<delivery_tally, transports.size() + 1> deliveries;

    std::array<gauge*, bell_states.size()> bell{};

    std::vector<std::pair<std::string, traffic>> by_transport; // few, looked for with every message; the last one is that of all others

    state()
    {
        prometheus::BuildGauge()
            .Name("rowcast_build_info")
            .Help("1, labelled with the version.")
            .Register(registry)
            .Add({{"version", std::string(core::version())}})
            .Set(1);
        auto& bell_state = prometheus::BuildGauge()
                               .Name("rowcast_doorbell_state")
                               .Help("1 for the state in which the doorbell is: quiet while the bridge keeps writers from ringing.")
                               .Register(registry);
        for (std::size_t i = 0; i < bell_states.size(); ++i) {
            bell[i] = &bell_state.Add({{"state", std::string(bell_states[i])}});
        }
        auto& sessions = prometheus::BuildGauge().Name("rowcast_sessions").Help("Open sessions.").Register(registry);
        auto& opened = counters("rowcast_sessions_opened_total", "Sessions that were opened.");
        auto& reconnects = counters("rowcast_reconnects_total", "Sessions whose client brought a cursor: it had been there before.");
        auto& resumed = counters("rowcast_resumes_total", "Subscriptions that were to go on from a cursor, and whether they could.");
        const auto add = [&](const std::string& transport) {
            const prometheus::Labels labels{{"transport", transport}};
            by_transport.emplace_back(transport, traffic{&sessions.Add(labels), &opened.Add(labels), &reconnects.Add(labels),
                                                         &deliveries.at(by_transport.size())});
            for (const std::string_view each : outcomes) {
                resumes[transport][std::string(each)] = &resumed.Add({{"transport", transport}, {"outcome", std::string(each)}});
            }
            resumes[transport]["other"] = &resumed.Add({{"transport", transport}, {"outcome", "other"}});
        };
        // The others come with what they count; a rate over these must not miss the first.
        for (const std::string_view each : transports) {
            for (const char* code : {"1000", "1001", "1006"}) {
                closed.Add({{"transport", std::string(each)}, {"code", code}});
            }
        }
        for (const std::string_view each : places) {
            for (const char* code : {"internal", "too_many_readings", "too_many_sessions", "unavailable"}) {
                refused.Add({{"transport", std::string(each)}, {"code", code}});
            }
        }
        row_outcomes.Add({{"outcome", "ok"}});
        auto& asked = counters("rowcast_requests_total", "Requests of clients, by what they ask for.");
        for (const std::string_view each : resources) {
            requests[std::string(each)] = &asked.Add({{"transport", std::string(each)}});
        }
        for (const std::string_view each : transports) {
            add(std::string(each));
        }
        add("other");
    }

    std::vector<prometheus::MetricFamily> collect() const
    {
        auto all = registry.Collect();
        using prometheus::MetricType;
        const auto by_what = [&](const char* name, const char* help, MetricType type, prometheus::ClientMetric (delivery_tally::*what)() const) {
            prometheus::MetricFamily& made = all.emplace_back(prometheus::MetricFamily{name, help, type, {}});
            for (const auto& [transport, each] : by_transport) {
                made.metric.push_back((each.delivered->*what)());
                made.metric.back().label = {{"transport", transport}};
            }
        };
        by_what("rowcast_events_sent_total", "Events handed to clients.", MetricType::Counter, &delivery_tally::events);
        by_what("rowcast_sent_bytes_total", "Bytes of messages handed to clients.", MetricType::Counter, &delivery_tally::bytes);
        by_what("rowcast_delivery_seconds", "From the last change that a transaction logged to the socket of a client.",
                MetricType::Histogram, &delivery_tally::times);
        auto process = process_metrics();
        std::move(process.begin(), process.end(), std::back_inserter(all));
        return all;
    }

    // The maps never change after construction.
    static counter& find(const std::map<std::string, counter*, std::less<>>& in, std::string_view name, std::string_view otherwise)
    {
        const auto found = in.find(name);
        return *(found != in.end() ? found : in.find(otherwise))->second;
    }

    const traffic& of(std::string_view transport) const
    {
        const auto found = std::find_if(by_transport.begin(), by_transport.end(), [&](const auto& each) { return each.first == transport; });
        return found != by_transport.end() ? found->second : by_transport.back().second;
    }

    void operator()(const database_connected&)
    {
        connected.Set(1);
        connects.Increment();
    }

    void operator()(const database_lost&)
    {
        connected.Set(0);
        losses.Increment();
    }

    void operator()(const log_renewed&) { renewals.Increment(); }

    void operator()(const batch_read& it)
    {
        read_time.Observe(std::chrono::duration<double>(it.took).count());
        if (it.changes > 0) {
            last_batch.Set(now_seconds());
            batches.Increment();
            changes.Increment(static_cast<double>(it.changes));
            change_bytes.Increment(static_cast<double>(it.bytes));
        }
    }

    void operator()(const flush_forced&) { flushes.Increment(); }

    void operator()(const doorbell_changed& it)
    {
        for (std::size_t i = 0; i < bell_states.size(); ++i) {
            bell[i]->Set(it.state == bell_states[i] ? 1 : 0);
        }
    }

    void operator()(const log_expired& it) { expired.Increment(static_cast<double>(it.removed)); }

    void operator()(const partitions_refreshed&) { refreshed.Increment(); }

    void operator()(const bad_change&) { bad.Increment(); }

    void operator()(const rule_misfit&) {}

    void operator()(const keys_read&) {}

    void operator()(const keys_unreadable&) { key_failures.Increment(); }

    void operator()(const revocations_read& it) { revoked.Set(static_cast<double>(it.total)); }

    void operator()(const administered&) {}

    void operator()(const configuration_reloaded&)
    {
        reload_successes.Increment();
        last_reload.Set(now_seconds());
    }

    void operator()(const rollout_stands& it)
    {
        offered_websocket.Set(it.force_polling ? 0 : it.websocket / 100.0);
        offered_sse.Set(it.force_polling ? 0 : it.sse / 100.0);
        polling_forced.Set(it.force_polling ? 1 : 0);
        rollout_configured.Set(it.as_configured ? 1 : 0);
    }

    void operator()(const reload_refused&) { reload_failures.Increment(); }

    void operator()(const background_failed&) { background_failures.Increment(); }

    void operator()(const listening&) {}

    void operator()(const sessions_limited&) {}

    void operator()(const session_opened& it)
    {
        of(it.transport).sessions->Increment();
        of(it.transport).opened->Increment();
    }

    void operator()(const session_closed& it)
    {
        of(it.transport).sessions->Decrement();
        closed.Add({{"transport", label_of(it.transport, transports)}, {"code", close_label(it.code)}}).Increment();
    }

    void operator()(const request_refused& it)
    {
        refused.Add({{"transport", label_of(it.transport, places)}, {"code", error_label(it.code)}}).Increment();
    }

    void operator()(const events_sent& it)
    {
        delivery_tally& to = *of(it.transport).delivered;
        to.sent(it.events, it.bytes);
        if (!it.logged) {
            return;
        }
        const auto took = std::chrono::system_clock::now() - *it.logged + std::chrono::duration<double>(database_ahead.load(std::memory_order_relaxed));
        if (!it.replayed || took <= latest_delivery) {
            to.took(took);
        }
    }

    void operator()(const request_made& it) { find(requests, it.transport, "http").Increment(); }

    void operator()(const polled& it) { (it.offered_push ? fallback_polls : rollout_polls).Increment(); }

    void operator()(const came_back& it)
    {
        const auto transport = resumes.find(it.transport);
        find(transport != resumes.end() ? transport->second : resumes.find("other"sv)->second, it.outcome, "other").Increment();
        if (it.first) {
            of(it.transport).reconnects->Increment();
        }
    }

    void operator()(const changes_matched& it)
    {
        if (it.changes == 0) {
            last_read.Set(now_seconds());
            return;
        }
        evaluations.Increment(static_cast<double>(it.evaluations));
        matched.Increment(static_cast<double>(it.events));
    }

    void operator()(const fell_behind&) { behind.Increment(); }

    void operator()(const log_read& it)
    {
        log_reads.Increment();
        log_read_changes.Increment(static_cast<double>(it.changes));
    }

    void operator()(const log_pass& it)
    {
        passes.Increment();
        served.Increment(static_cast<double>(it.readings));
    }

    void operator()(const sets_read& it)
    {
        sets_loaded.Increment(static_cast<double>(it.loaded));
        sets_evaluated.Increment(static_cast<double>(it.evaluated));
        sets_changed.Increment(static_cast<double>(it.changed));
        sets_held.Set(static_cast<double>(it.held));
        sets_misfit.Set(static_cast<double>(it.misfits));
    }

    void operator()(const set_failed&) { sets_failed.Increment(); }

    void operator()(const message_dropped&) { messages_dropped.Increment(); }

    void operator()(const set_misfit&) {}

    void operator()(const rows_read& it)
    {
        rows.Increment(static_cast<double>(it.rows));
        hidden_rows.Increment(static_cast<double>(it.hidden));
        row_time.Observe(std::chrono::duration<double>(it.took).count());
        row_outcomes.Add({{"outcome", it.failure.empty()     ? "ok"
                                      : it.failure == "gone" ? it.failure
                                                             : error_label(it.failure)}}).Increment();
    }

    void operator()(const row_readings_stand& it)
    {
        row_readings.Set(static_cast<double>(it.reading));
        waiting_row_readings.Set(static_cast<double>(it.waiting));
    }

    void operator()(const clients_stand& it)
    {
        catching_up.Set(static_cast<double>(it.catching_up));
        slowest_behind.Set(it.slowest_behind.count());
    }

    void operator()(const queues_stand& it)
    {
        publications_waiting.Set(static_cast<double>(it.publications));
        messages_waiting.Set(static_cast<double>(it.messages));
        attaching.Set(static_cast<double>(it.attaching));
    }

    void operator()(const database_stands& it)
    {
        log_bytes.Set(static_cast<double>(it.log_bytes));
        log_age.Set(it.log_age.count());
        notification_queue.Set(it.notification_queue);
        clock_offset.Set(it.clock_offset.count());
        clock_error.Set(it.clock_error.count());
        database_ahead = it.clock_offset.count();
    }

    void operator()(const stopping&) {}

    void operator()(const stopped&) { connected.Set(0); }
};

metrics_sink::metrics_sink()
    : state_(std::make_unique<state>())
{
}

metrics_sink::~metrics_sink() = default;

void metrics_sink::operator()(const observation& what)
{
    std::visit(*state_, what);
}

std::string metrics_sink::exposition() const
{
    return prometheus::TextSerializer{}.Serialize(state_->collect());
}

} // namespace rowcast::observe
