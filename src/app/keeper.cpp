#include "app/keeper.hpp"

#include <exception>
#include <optional>

#include "postgres/catalog_reader.hpp"
#include "postgres/connection.hpp"
#include "postgres/maintenance.hpp"

namespace rowcast::app {
namespace {

// Reads the catalog, on a connection that it keeps.
class catalog_watch {
public:
    catalog_watch(const config::database& settings, const postgres::event& stop)
        : options_{.url = settings.url, .purpose = "rowcast catalog"}, stop_(stop)
    {
    }

    // The catalog where it is another than the last one, else null. Throws what the connection throws.
    policy::catalog_ptr look()
    {
        try {
            if (!connection_) {
                connection_.emplace(options_, &stop_);
            }
            policy::catalog_ptr found = postgres::read_catalog(*connection_);
            if (last_ && *found == *last_) {
                return nullptr;
            }
            return last_ = std::move(found);
        } catch (...) {
            connection_.reset();
            throw;
        }
    }

private:
    postgres::connection_options options_;
    const postgres::event& stop_;
    std::optional<postgres::connection> connection_;
    policy::catalog_ptr last_;
};

} // namespace

keeper::keeper(config::database settings, observe::sink tell, std::function<void(policy::catalog_ptr)> changed,
               std::function<postgres::bridge_report()> report)
    : settings_(std::move(settings)), tell_(std::move(tell)), changed_(std::move(changed)), report_(std::move(report)),
      thread_([this] { run(); })
{
}

keeper::~keeper()
{
    stop();
}

void keeper::look()
{
    const std::lock_guard lock(mutex_);
    look_ = true;
    asked_.notify_all();
}

void keeper::stop()
{
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        stop_.set();
        asked_.notify_all();
    }
    if (thread_.joinable()) {
        thread_.join();
    }
}

void keeper::run()
{
    catalog_watch catalog(settings_, stop_);
    postgres::maintenance chores({.connection = {.url = settings_.url, .purpose = "rowcast maintenance", .read_only = false},
                                  .retention_age = settings_.keep.age,
                                  .retention_bytes = settings_.keep.size,
                                  .report = report_},
                                 tell_, &stop_);
    std::unique_lock lock(mutex_);
    while (!stopped_) {
        look_ = false;
        lock.unlock();
        try {
            if (auto found = catalog.look()) {
                changed_(std::move(found));
            }
            chores.run();
        } catch (const std::exception& error) {
            if (!stop_.is_set()) {
                tell_(observe::background_failed{"reading the catalog", error.what()});
            }
        }
        lock.lock();
        asked_.wait_for(lock, settings_.poll_interval, [&] { return stopped_ || look_; });
    }
    chores.leave();
}

} // namespace rowcast::app
