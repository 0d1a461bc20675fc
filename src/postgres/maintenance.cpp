#include "postgres/maintenance.hpp"

#include <charconv>
#include <utility>

namespace rowcast::postgres {
namespace {

constexpr std::chrono::seconds time_to_leave{1};
constexpr std::chrono::seconds time_between_measures{15};
const std::string lock_not_available = "55P03";

std::chrono::duration<double> seconds_of(std::string_view text)
{
    double out = 0;
    std::from_chars(text.data(), text.data() + text.size(), out);
    return std::chrono::duration<double>(out);
}

} // namespace

maintenance::maintenance(maintenance_options options, const observe::sink& sink, const event* stop)
    : options_(std::move(options))
    , sink_(sink)
    , stop_(stop)
{
    options_.connection.purpose = "rowcast maintenance";
    options_.connection.read_only = false;
}

void maintenance::run()
{
    const char* what = "connecting for maintenance";
    try {
        if (!connection_) {
            connection_.emplace(options_.connection, stop_);
        }
        what = "retention";
        expire();
        what = "looking after the triggers";
        refresh();
        what = "reporting to the database";
        report();
        what = "looking at the change log's size";
        measure();
    } catch (const interrupted&) {
        connection_.reset();
    } catch (const std::exception& error) {
        connection_.reset();
        sink_(observe::background_failed{what, error.what()});
    }
}

void maintenance::report()
{
    if (!options_.report) {
        return;
    }
    const bridge_report now = options_.report();
    if (const auto behind = register_.report(*connection_, now)) {
        sink_(observe::clients_stand{now.catching_up, *behind});
    }
}

void maintenance::measure()
{
    const auto now = std::chrono::steady_clock::now();
    if (measured_ && now - *measured_ < time_between_measures) {
        return;
    }
    const auto asked = std::chrono::system_clock::now();
    const rows found = connection_->execute(
        "select extract(epoch from clock_timestamp())::text, pg_total_relation_size('rowcast.change_log'), "
        "coalesce(extract(epoch from clock_timestamp() - (select at from rowcast.change_log order by xid, id limit 1)), 0)::text, "
        "pg_notification_queue_usage()::text");
    const auto answered = std::chrono::system_clock::now();
    measured_ = now;
    // The database looked at its clock at some time between.
    const std::chrono::duration<double> half = (answered - asked) / 2;
    const std::chrono::duration<double> ours = asked.time_since_epoch() + half;
    sink_(observe::database_stands{found.number(0, 1), seconds_of(found.text(0, 2)), seconds_of(found.text(0, 3)).count(),
                                   seconds_of(found.text(0, 0)) - ours, half});
}

void maintenance::leave()
{
    if (!register_.is_entered()) {
        return;
    }
    try {
        connection_options briefly = options_.connection;
        briefly.connect_timeout = briefly.statement_timeout = time_to_leave;
        connection on(briefly);
        register_.leave(on);
    } catch (const std::exception& error) {
        sink_(observe::background_failed{"taking leave of the database", error.what()});
    }
}

void maintenance::set_retention(std::chrono::milliseconds age, std::uint64_t bytes)
{
    options_.retention_age = age;
    options_.retention_bytes = bytes;
}

void maintenance::refresh()
{
    const rows done = connection_->execute("select table_name, action, detail from rowcast.refresh()");
    for (std::size_t i = 0; i < done.size(); ++i) {
        if (!done.is_null(i, 0)) { // without a table: somebody else is at it
            sink_(observe::partitions_refreshed{std::string(done.text(i, 0)), std::string(done.text(i, 1)),
                                                std::string(done.text(i, 2))});
        }
    }
}

void maintenance::expire()
{
    const auto until = std::chrono::steady_clock::now() + options_.at_most;
    std::uint64_t removed = 0;
    bool more = true;
    while (more && std::chrono::steady_clock::now() < until) {
        try {
            const rows batch = connection_->execute("select removed, more from rowcast.expire($1::interval, $2::bigint)",
                                                    {std::to_string(options_.retention_age.count()) + " milliseconds",
                                                     std::to_string(options_.retention_bytes)});
            removed += batch.number(0, 0);
            more = batch.truth(0, 1) && batch.number(0, 0) > 0;
        } catch (const database_error& error) {
            if (error.sqlstate() != lock_not_available) {
                throw;
            }
            more = false; // somebody works on the log itself, and goes first
        }
    }
    if (removed > 0) {
        sink_(observe::log_expired{removed});
    }
}

} // namespace rowcast::postgres
