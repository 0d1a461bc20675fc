#pragma once

#include "observe/observation.hpp"
#include "postgres/connection.hpp"

#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace rowcast::postgres {

// For FROM: who holds the key, as the row `l` of pg_locks (which shows keys as unsigned), or no row.
extern const std::string key_holder;

// The doorbell's key, an advisory lock, on a connection and a thread of its own: nobody waits for it, and it is given back
// by PostgreSQL when this side is gone. It connects when the key is first wanted. Between its statements the session is
// idle outside of any transaction: it holds back neither vacuum nor CREATE INDEX CONCURRENTLY.
class doorbell_key {
public:
    struct outcome {
        enum class what { taken, not_taken, released, lost } happened;
        int backend = 0; // of `lost`: the session that may not have ended yet, and may hold the key as long
    };

    // `news` is called from the thread when there is an outcome.
    doorbell_key(connection_options options, observe::sink sink, std::function<void()> news);
    ~doorbell_key(); // stops
    doorbell_key(const doorbell_key&) = delete;

    void stop(); // gives the key back; from any thread but its own

    // Each answered by one outcome, in their order; a loss in between by `lost` as well. Never waits, never queues on the
    // server (pg_try_advisory_lock).
    void take();
    void release();

    // Rings for other bridges, soon and once however often it is asked for meanwhile. Without an outcome: who misses it
    // finds the changes within their poll_interval.
    void ring();

    // Since the last call.
    std::vector<outcome> outcomes();

private:
    enum class order { take, release };

    void run();
    void give(order what);
    void try_to_take();
    void let_go();
    void ring_now();
    void lost(const std::string& why);
    void tell(outcome what);
    std::optional<order> next_order(bool& ring);

    const connection_options options_;
    const observe::sink sink_;
    const std::function<void()> news_;
    event stop_;
    event asked_;

    std::mutex mutex_; // of these
    std::deque<order> orders_;
    bool ring_ = false;
    std::vector<outcome> outcomes_;

    std::optional<connection> connection_; // of the thread
    bool may_hold_ = false;
    std::thread thread_; // last: it uses the others
};

} // namespace rowcast::postgres
