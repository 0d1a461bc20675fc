#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "config/configuration.hpp"
#include "observe/observation.hpp"
#include "policy/revocations.hpp"
#include "policy/table.hpp"
#include "postgres/bridge_register.hpp"
#include "postgres/event.hpp"

namespace rowcast::app {

// Looks after what changes slowly, on a thread and a connection of its own: which tables are watched and how, who was revoked, triggers
// of new partitions, retention, and that the database knows of this bridge. Every poll_interval, and when it is asked to.
class keeper {
public:
    // All on the keeper's thread.
    struct callbacks {
        std::function<void(policy::catalog_ptr)> changed; // gets each catalog that differs from the one before
        // Gets new revocations, and maybe some again; before the first catalog all that hold.
        std::function<void(const std::vector<policy::revocation>&)> revoked;
        std::function<postgres::bridge_report()> report; // says what is to be reported
    };
    keeper(config::database settings, observe::sink tell, callbacks with);
    ~keeper(); // stops
    keeper(const keeper&) = delete;

    // Until the database has been read, or could not be, or that long.
    void await_first_look(std::chrono::milliseconds most);

    void look(); // soon; from any thread
    // The same, and waits for a look that begins after the call, as above: what is so now has then been told. From any other thread.
    void look_now(std::chrono::milliseconds most);
    void set_retention(config::retention keep); // from the next round on; from any thread
    void stop();

private:
    void run();
    void looked();

    const config::database settings_;
    const observe::sink tell_;
    const callbacks with_;
    postgres::event stop_;
    std::mutex mutex_; // of what follows
    std::condition_variable asked_;
    config::retention keep_;
    bool look_ = true;
    std::uint64_t begun_ = 0; // looks so far
    std::uint64_t looked_ = 0; // the last of them that is over
    bool stopped_ = false;
    std::thread thread_; // last: it uses the others
};

} // namespace rowcast::app
