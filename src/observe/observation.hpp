#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace rowcast::observe {

// Everything worth telling, as facts. Code emits them; sinks decide on words (the log) and counters (the metrics);
// tests wait for them. No secrets and no row data in any of them.

struct database_connected { std::string server_version; std::string log_identity; unsigned timeline = 0; };
struct database_lost { std::string reason; std::chrono::milliseconds retry_in{}; };
struct log_renewed { std::string reason; };             // a restored or copied database got a new log
struct batch_read { std::size_t changes = 0; std::size_t bytes = 0; std::chrono::microseconds took{}; };
struct flush_forced { std::chrono::microseconds waited{0}; }; // the bridge had to flush the WAL itself, having waited so long for others
struct doorbell_changed { std::string_view state; };       // sleeping, taking, quiet, letting_go (postgres/doorbell.hpp)
struct log_expired { std::uint64_t removed = 0; };
struct partitions_refreshed { std::string table; std::string action; std::string detail; };
struct bad_change { std::string table; std::uint64_t id = 0; std::string reason; }; // a log row that could not be read
struct rule_misfit { std::string where; std::string problem; bool error = false; }; // rules against the database as it is
struct background_failed { std::string what; std::string reason; };                // retention, refresh, ...: tried again
struct keys_read { std::string where; std::size_t count = 0; };  // a key set (JWKS) that differs from the last one
struct keys_unreadable { std::string where; std::string reason; std::chrono::milliseconds retry_in{}; bool has_old = false; };
struct revocations_read { std::size_t fresh = 0; std::size_t total = 0; };
struct administered { std::string peer; std::string what; std::string outcome; }; // an operator's call
struct configuration_reloaded { std::vector<std::string> needs_restart; };         // what differs and stays as it was
struct rollout_stands { unsigned websocket = 100; unsigned sse = 100; bool force_polling = false; std::size_t opt_in = 0; std::size_t opt_out = 0; bool as_configured = true; };
struct reload_refused { std::vector<std::string> problems; };                      // "bridge.yaml:3:5: ..."
struct listening { std::string address; std::uint16_t port = 0; std::string_view for_whom; };
struct sessions_limited { std::size_t wanted = 0; std::size_t possible = 0; std::size_t descriptors = 0; };
struct session_opened { std::string transport; std::string session; std::string subject; std::string from; }; // its address, or `unix`
struct session_closed { std::string transport; std::string session; std::string subject; unsigned code = 0; std::string reason; };
struct request_refused { std::string transport; std::string code; std::string detail; std::string session = {}; std::string subject = {}; std::string from = {}; }; // these where they are known
// To the socket, at the moment of the call. `logged`: see hub::changes.
struct events_sent { std::string_view transport; std::size_t events = 0; std::size_t bytes = 0; std::optional<std::chrono::system_clock::time_point> logged = {}; bool replayed = false; };
struct request_made { std::string_view transport; };     // a request or message of a client that wants something: websocket, sse, poll, rows, session
struct polled { bool offered_push = false; };            // whether the user is offered something better
struct came_back { std::string_view transport; std::string_view outcome; bool first = true; }; // a subscription with a cursor: resumed, or a reset's reason; the session's first
struct changes_matched { std::size_t changes = 0; std::size_t evaluations = 0; std::size_t events = 0; }; // a batch went through the hub
struct fell_behind { std::string session; };            // a slow client went back to catching up
struct log_read { std::size_t pages = 0; std::size_t changes = 0; };  // a pass that came to the log's end
struct log_pass { std::size_t readings = 0; };           // one pass over the log begins, for so many catch-ups
struct sets_read { std::size_t loaded = 0; std::size_t evaluated = 0; std::size_t changed = 0; std::size_t held = 0; std::size_t misfits = 0; }; // the last two: at present
struct set_failed { std::string name; std::string reason; }; // those who need it are told that it is not there
struct set_misfit { std::string name; std::string sqlstate; }; // an argument or a row is no value for its query; the first one whom it gives nothing for that
// One reading of initial rows has ended: with `failure` a code, `gone` for the client, or empty. `hidden` rows were read for nothing: SQL let
// them through, the rules did not.
struct rows_read { std::size_t rows = 0; std::size_t hidden = 0; std::chrono::microseconds waited{}; std::chrono::microseconds took{}; std::string failure; };
struct row_readings_stand { std::size_t reading = 0; std::size_t waiting = 0; };
struct message_dropped { std::string channel; };         // one of a NOTIFY, because too many wait for a transaction to end
struct clients_stand { std::size_t catching_up = 0; std::chrono::duration<double> slowest_behind{}; }; // now and then
struct queues_stand { std::size_t publications = 0; std::size_t messages = 0; std::size_t attaching = 0; }; // when somebody looks
// Now and then. `clock_offset`: by how much the database's clock is ahead of ours, give or take `clock_error`.
struct database_stands { std::uint64_t log_bytes = 0; std::chrono::duration<double> log_age{}; double notification_queue = 0; std::chrono::duration<double> clock_offset{}; std::chrono::duration<double> clock_error{}; };
struct stopping { std::string signal; };
struct stopped { };

using observation = std::variant<database_connected, database_lost, log_renewed, batch_read, flush_forced, doorbell_changed, log_expired,
                                 partitions_refreshed, bad_change, rule_misfit, background_failed, keys_read, keys_unreadable,
                                 revocations_read, administered, configuration_reloaded, rollout_stands, reload_refused, listening,
                                 sessions_limited, session_opened, session_closed, request_refused, events_sent, request_made, polled, came_back, changes_matched, fell_behind, log_read,
                                 log_pass, sets_read, set_failed, set_misfit, rows_read, row_readings_stand, message_dropped, clients_stand, queues_stand, database_stands, stopping, stopped>;

// Thread-safe; must not throw and must not block for long.
using sink = std::function<void(const observation&)>;

} // namespace rowcast::observe
