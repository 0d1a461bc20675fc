#include "app/keeper.hpp"

#include <exception>
#include <optional>

#include "postgres/catalog_reader.hpp"
#include "postgres/connection.hpp"
#include "postgres/maintenance.hpp"
#include "postgres/revocation_reader.hpp"

namespace rowcast::app {
namespace {

// Reads the catalog and the revocations, on a connection that it keeps.
class database_watch {
public:
    database_watch(const config::database& settings, const postgres::event& stop)
        : options_{.url = settings.url, .purpose = "rowcast catalog"}, stop_(stop)
    {
    }

    // Tells what is new. Throws what the connection throws.
    void look(const keeper::callbacks& with)
    {
        try {
            if (!connection_) {
                connection_.emplace(options_, &stop_);
                revocations_ = {}; // this may be another database
            }
            // Nobody sees a table before it is known who may not.
            if (const auto read = revocations_.read(*connection_); !read.empty()) {
                with.revoked(read);
            }
            policy::catalog_ptr found = postgres::read_catalog(*connection_);
            if (!last_ || *found != *last_) {
                last_ = found;
                with.changed(std::move(found));
            }
        } catch (...) {
            connection_.reset();
            throw;
        }
    }

private:
    postgres::connection_options options_;
    const postgres::event& stop_;
    std::optional<postgres::connection> connection_;
    postgres::revocation_reader revocations_;
    policy::catalog_ptr last_;
};

} // namespace

keeper::keeper(config::database settings, observe::sink tell, callbacks with)
    : settings_(std::move(settings)), tell_(std::move(tell)), with_(std::move(with)), keep_(settings_.keep), thread_([this] { run(); })
{
}

keeper::~keeper()
{
    stop();
}

void keeper::await_first_look(std::chrono::milliseconds most)
{
    std::unique_lock lock(mutex_);
    asked_.wait_for(lock, most, [&] { return looked_ > 0 || stopped_; });
}

void keeper::look()
{
    const std::lock_guard lock(mutex_);
    look_ = true;
    asked_.notify_all();
}

void keeper::look_now(std::chrono::milliseconds most)
{
    std::unique_lock lock(mutex_);
    const std::uint64_t next = begun_ + 1; // the one under way may have read already
    look_ = true;
    asked_.notify_all();
    asked_.wait_for(lock, most, [&] { return looked_ >= next || stopped_; });
}

void keeper::set_retention(config::retention keep)
{
    const std::lock_guard lock(mutex_);
    keep_ = keep;
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

void keeper::looked()
{
    const std::lock_guard lock(mutex_);
    looked_ = begun_;
    asked_.notify_all();
}

void keeper::run()
{
    database_watch database(settings_, stop_);
    postgres::maintenance chores({.connection = {.url = settings_.url},
                                  .retention_age = settings_.keep.age,
                                  .retention_bytes = settings_.keep.size,
                                  .report = with_.report},
                                 tell_, &stop_);
    std::unique_lock lock(mutex_);
    while (!stopped_) {
        look_ = false;
        ++begun_;
        chores.set_retention(keep_.age, keep_.size);
        lock.unlock();
        try {
            database.look(with_);
            looked();
            chores.run();
        } catch (const std::exception& error) {
            if (!stop_.is_set()) {
                tell_(observe::background_failed{"reading the catalog and the revocations", error.what()});
            }
        }
        looked();
        lock.lock();
        asked_.wait_for(lock, settings_.poll_interval, [&] { return stopped_ || look_; });
    }
    chores.leave();
}

} // namespace rowcast::app
