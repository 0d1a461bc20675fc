#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <unordered_set>
#include <variant>
#include <vector>

#include "hub/shard.hpp"
#include "net/admin_router.hpp"
#include "net/changes_text.hpp"
#include "net/router.hpp"
#include "net/session_listing.hpp"
#include "net/site.hpp"
#include "net/tls.hpp"

namespace rowcast::net {

// Something that goes on with a client, and must hear when the server stops or the rules change. It registers itself
// with its worker for as long as it lives.
class activity {
public:
    explicit activity(class worker& on);
    virtual ~activity();
    activity(const activity&) = delete;

    virtual void say_goodbye(std::chrono::milliseconds reconnect) = 0; // end soon, politely
    virtual void check_offer(std::chrono::milliseconds /*reconnect*/) {} // the transport may be for others now
    virtual void reconsider() {}     // permissions have changed
    virtual void check_admission() {} // what was revoked has changed
    virtual void abort() = 0; // end now
    virtual void go_on() {}   // what worker::wake was called for
    virtual void send_gathered() {} // what worker::gather was called for

    // Of a session: its name and user, and all that operators see. Without a name it is none.
    virtual std::string_view session() const { return {}; }
    virtual std::string_view user() const { return {}; }
    virtual std::string_view transport() const { return {}; }
    virtual hub::standing standing() const { return {}; }
    virtual void describe(session_description&) const {} // what is not asked for above

private:
    worker& on_;
};

// One shard: its thread, its io_context, and everything that lives there. Except where it is said, its functions are
// for its own thread.
class worker {
public:
    worker(hub::shard_id id, site& shared, const config::server& settings, const config::rollout& offered, tls_context_ptr tls);
    ~worker(); // after stop()

    void start();        // any thread
    boost::asio::io_context& context() { return context_; }
    hub::shard& shard() { return shard_; }
    changes_text& words() { return words_; }
    site& shared() { return shared_; }

    // What may change while the bridge runs; a copy of each worker's own, so that nobody waits for anybody.
    const config::server& settings() const { return settings_; }
    const config::rollout& offered() const { return offered_; }
    void adopt(const config::server& settings, tls_context_ptr tls);
    void offer(const config::rollout& offered); // who is not among them any more is told to go on by polling
    tls_context_ptr tls() const { return tls_; } // null: without
    const router& routes() const { return routes_; }
    const admin_router& admin_routes() const { return admin_routes_; }

    // Any thread. In the order of the calls; publications that have gathered are handed out together. The ticket is let go of then.
    void post(std::function<void()> work);
    void publish(hub::publication_ptr published, std::shared_ptr<void> ticket);

    // Lets it go on, soon.
    void wake(std::shared_ptr<activity> whom);
    void go_on(activity& whom); // now; its exceptions end it and are told

    // While publications are handed out: `who` is to send together with others, soon. Our code and the kernel's in turns, for each of thousands, would
    // throw each other out of the processor's caches.
    bool gathers() const { return gathers_; }
    void gather(activity& who);

    // Runs a task to its end; it is counted, and its exceptions are told.
    void spawn(boost::asio::awaitable<void> task);

    // Any thread. `stop` asks everybody to leave; the future is ready when all have.
    std::future<void> stop();
    void abort(); // those who have not
    void join();

    bool is_stopping() const { return stopping_; }
    void reconsider();
    void check_admission();
    std::string name_session();
    session_listing list(const session_search& what) const;
    std::size_t send_away(const session_choice& whom); // how many were told to come back

private:
    friend class activity;
    struct publishing {
        hub::publication_ptr what;
        std::shared_ptr<void> ticket;
    };
    using errand = std::variant<std::function<void()>, publishing>;

    void enqueue(errand added);
    void run_next_errand();
    void finished();
    void go_on_all();
    void send_gathered();
    void guard(activity& whom, void (activity::*action)());
    std::chrono::milliseconds pause();
    void for_each_activity(const std::function<void(activity&)>& action);

    site& shared_;
    config::server settings_;
    config::rollout offered_;
    tls_context_ptr tls_;
    const router routes_;
    const admin_router admin_routes_;
    hub::shard shard_;
    changes_text words_;
    std::mt19937_64 random_;
    std::unordered_set<activity*> activities_;
    std::size_t running_ = 0;
    bool stopping_ = false;
    std::promise<void> drained_;
    // Below what its coroutines use: their frames go with it.
    boost::asio::io_context context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
    std::vector<std::shared_ptr<activity>> woken_;
    std::vector<activity*> gathered_;
    bool gathers_ = false;
    std::mutex errands_guard_;
    std::deque<errand> errands_; // a call of run_next_errand is on its way where there are any
    std::thread thread_;
};

} // namespace rowcast::net
