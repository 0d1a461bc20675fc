#include "postgres/maintenance.hpp"

#include <utility>

namespace rowcast::postgres {

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
    } catch (const interrupted&) {
        connection_.reset();
    } catch (const std::exception& error) {
        connection_.reset();
        sink_(observe::background_failed{what, error.what()});
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
        const rows batch = connection_->execute("select removed, more from rowcast.expire($1::interval, $2::bigint)",
                                                {std::to_string(options_.retention_age.count()) + " milliseconds",
                                                 std::to_string(options_.retention_bytes)});
        removed += batch.number(0, 0);
        more = batch.truth(0, 1) && batch.number(0, 0) > 0;
    }
    if (removed > 0) {
        sink_(observe::log_expired{removed});
    }
}

} // namespace rowcast::postgres
