#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "config/configuration.hpp"
#include "observe/observation.hpp"
#include "policy/table.hpp"
#include "postgres/bridge_register.hpp"
#include "postgres/event.hpp"

namespace rowcast::app {

// Looks after what changes slowly, on a thread and a connection of its own: which tables are watched and how, triggers
// of new partitions, retention, and that the database knows of this bridge. Every poll_interval, and when it is asked to.
class keeper {
public:
    // `changed` gets each catalog that differs from the one before, `report` says what is to be reported; both on the
    // keeper's thread.
    keeper(config::database settings, observe::sink tell, std::function<void(policy::catalog_ptr)> changed,
           std::function<postgres::bridge_report()> report);
    ~keeper(); // stops
    keeper(const keeper&) = delete;

    void look(); // soon; from any thread
    void stop();

private:
    void run();

    const config::database settings_;
    const observe::sink tell_;
    const std::function<void(policy::catalog_ptr)> changed_;
    const std::function<postgres::bridge_report()> report_;
    postgres::event stop_;
    std::mutex mutex_;
    std::condition_variable asked_;
    bool look_ = true;
    bool stopped_ = false;
    std::thread thread_; // last: it uses the others
};

} // namespace rowcast::app
