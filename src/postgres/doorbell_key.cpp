#include "postgres/doorbell_key.hpp"

#include <poll.h>

#include <array>
#include <utility>

namespace rowcast::postgres {
namespace {

using what = doorbell_key::outcome::what;

// What rings says nothing of importance: its commit need not wait for the disk, least of all with NOTIFY's lock in hand.
// The key of a bridge whose machine is gone is free after half a minute, not after the two hours of the system's default.
const std::string settings = "set synchronous_commit = off; set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; "
                             "set tcp_keepalives_count = 3; set tcp_user_timeout = 25000";

// As in the triggers: a full queue would fail every commit.
const std::string ring_statement =
    "select pg_notify('rowcast', '{}') where pg_notification_queue_usage() < 0.5";

} // namespace

const std::string key_holder =
    "rowcast.settings s join pg_locks l on l.classid::bigint = s.lock_class::bigint & 4294967295 "
    "and l.objid::bigint = s.lock_key::bigint & 4294967295 and l.objsubid = 2 "
    "and l.locktype = 'advisory' and l.mode = 'ExclusiveLock' and l.granted "
    "and l.database = (select oid from pg_database where datname = current_database())";

doorbell_key::doorbell_key(connection_options options, observe::sink sink, std::function<void()> news)
    : options_(std::move(options))
    , sink_(std::move(sink))
    , news_(std::move(news))
    , thread_([this] { run(); })
{
}

doorbell_key::~doorbell_key()
{
    stop();
}

void doorbell_key::stop()
{
    stop_.set();
    if (thread_.joinable()) {
        thread_.join();
    }
}

void doorbell_key::take()
{
    give(order::take);
}

void doorbell_key::release()
{
    give(order::release);
}

void doorbell_key::give(order what)
{
    const std::lock_guard lock(mutex_);
    orders_.push_back(what);
    asked_.set();
}

void doorbell_key::ring()
{
    const std::lock_guard lock(mutex_);
    ring_ = true;
    asked_.set();
}

std::vector<doorbell_key::outcome> doorbell_key::outcomes()
{
    const std::lock_guard lock(mutex_);
    return std::exchange(outcomes_, {});
}

void doorbell_key::tell(outcome happened)
{
    {
        const std::lock_guard lock(mutex_);
        outcomes_.push_back(happened);
    }
    news_();
}

std::optional<doorbell_key::order> doorbell_key::next_order(bool& ring)
{
    const std::lock_guard lock(mutex_);
    asked_.clear();
    ring = std::exchange(ring_, false);
    if (orders_.empty()) {
        return std::nullopt;
    }
    order next = orders_.front();
    orders_.pop_front();
    if (!orders_.empty()) {
        asked_.set();
    }
    return next;
}

// Watches its connection while there is nothing to do: a key that is lost must be known.
void doorbell_key::run()
{
    while (!stop_.is_set()) {
        try {
            if (connection_) {
                connection_->wait(std::chrono::hours(1), asked_);
                connection_->take_notifications();
            } else {
                std::array<pollfd, 2> look{{{stop_.descriptor(), POLLIN, 0}, {asked_.descriptor(), POLLIN, 0}}};
                ::poll(look.data(), look.size(), -1);
            }
            bool ring = false;
            const auto wanted = next_order(ring);
            if (wanted) {
                *wanted == order::take ? try_to_take() : let_go();
            }
            if (ring) {
                ring_now();
            }
        } catch (const interrupted&) {
            break;
        } catch (const std::exception& error) {
            lost(error.what());
        }
    }
    connection_.reset();
}

void doorbell_key::try_to_take()
{
    if (!connection_) {
        try {
            connection_.emplace(options_, &stop_);
            connection_->run_script(settings);
        } catch (const interrupted&) {
            throw;
        } catch (const std::exception& error) {
            connection_.reset();
            sink_(observe::background_failed{"connecting for the doorbell's key", error.what()});
            tell({what::not_taken});
            return;
        }
    }
    may_hold_ = true; // from the moment of asking
    may_hold_ = connection_->execute("select pg_try_advisory_lock(lock_class, lock_key) from rowcast.settings").truth(0, 0);
    tell({may_hold_ ? what::taken : what::not_taken});
}

void doorbell_key::let_go()
{
    if (may_hold_) {
        connection_->execute("select pg_advisory_unlock_all()");
        may_hold_ = false;
    }
    tell({what::released});
}

void doorbell_key::ring_now()
{
    if (connection_) {
        connection_->execute(ring_statement);
    }
}

void doorbell_key::lost(const std::string& why)
{
    const int backend = connection_ ? connection_->backend() : 0;
    connection_.reset();
    sink_(observe::background_failed{"the doorbell's connection", why});
    if (std::exchange(may_hold_, false)) {
        tell({what::lost, backend});
    }
}

} // namespace rowcast::postgres
