#pragma once

#include "core/batch.hpp"
#include "observe/observation.hpp"
#include "postgres/connection.hpp"
#include "postgres/doorbell.hpp"
#include "postgres/doorbell_key.hpp"
#include "postgres/follower_life.hpp"
#include "postgres/log_identity.hpp"
#include "postgres/log_step.hpp"
#include "postgres/recent_past.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace rowcast::postgres {

struct follower_options {
    connection_options connection;
    std::chrono::milliseconds poll_interval = std::chrono::seconds(5);
    std::vector<std::string> notify_channels; // plain NOTIFY channels to be passed on; not durable
    page_limits pages;
    doorbell::thresholds busy = {}; // when writers are asked not to ring
};

// What a follower tells, on its own thread, one after the other. A call may block: then it reads no further, and its
// memory stays what it is. Exceptions end the connection as an error would, and the follower begins anew where it was.
struct follower_callbacks {
    // The log is known; batches begin after `head`. Once.
    std::function<void(const log_identity& identity, const core::snapshot& head)> started;
    // The next page. Without holes and doublings: the `before` of a step is the `after` of the last one (or the head).
    std::function<void(core::batch_ptr page)> batch;
    // What was delivered so far has no continuation: everyone reads again; batches begin after `head`. A step under way
    // is not completed. `reason` is "log_renewed" (a restored or copied database), "log_replaced" (installed anew, or set back),
    // "fail_over" (another timeline), or "cursor_expired" (retention has passed us while we were away).
    std::function<void(std::string_view reason, const log_identity& identity, const core::snapshot& head)> replaced;
    // A NOTIFY on one of `notify_channels`.
    std::function<void(const notification& message)> message;
    // Before `started`: the changes up to its head, for those who come back after a restart. May be empty: then nobody
    // reads them. Not called where they could not be read.
    std::function<void(recent_past before_head)> recent = nullptr;
    // The log has been read to what was its end when the read began, whether there was anything or not. May be empty.
    std::function<void()> read_to_end = nullptr;
    // How long it took of late to hand a page out to all whom it concerns: a busy log is read less often where that is long,
    // so that more is handed out at once. May be empty.
    std::function<std::chrono::microseconds()> handing_out = nullptr;
};

// Follows the change log: LISTENs, reads from its last snapshot to the next whenever the bell rings, when it is woken,
// and every poll_interval, or every few milliseconds where there is so much that the bell had better not ring
// (doorbell.hpp); reconnects for ever. Its thread starts with it and ends with it.
class follower {
public:
    struct status {
        bool connected = false;
        std::string problem;                                            // why not, where it is not connected
        std::optional<std::chrono::steady_clock::time_point> last_read; // up to date as of then
        doorbell::state bell = doorbell::state::letting_go;
        core::transaction_id all_read_below = 0;
    };

    follower(follower_options options, follower_callbacks callbacks, observe::sink sink);
    ~follower(); // stops
    follower(const follower&) = delete;
    follower& operator=(const follower&) = delete;

    // From any thread. `stop` waits for the thread, which a call that blocks in `batch` would delay: unblock it first.
    void stop();
    void wake(); // read now
    status now() const;

private:
    using life = follower_life;

    void run();
    life::event act(life::action action);
    void connect();
    void prepare();
    void establish(std::string_view reason, const log_identity& identity);
    core::snapshot first_head();
    void begin_anew(core::error_code why);
    void read();
    struct step_summary {
        std::size_t transactions = 0;
        std::chrono::microseconds waited{0}; // of `doorbell::reading`
    };
    step_summary read_step();
    void wait();
    void tend_bell();
    void mark();
    void back_off();
    void pass_on_messages();
    void failed(const std::string& reason);

    const follower_options options_;
    const follower_callbacks callbacks_;
    const observe::sink sink_;
    const log_filter everything_;
    event stop_;
    event wake_;
    life life_;
    std::mt19937 random_{std::random_device{}()};

    std::optional<connection> connection_;
    std::optional<log_identity> identity_; // of `position_`
    core::cursor position_;                // everything up to it has been handed out
    std::chrono::steady_clock::time_point flushes_until_{}; // nobody else does (synchronous_commit = off): waiting for it would be in vain
    std::string problem_;
    bool rung_ = false; // a bell that no read has answered yet
    std::atomic<bool> asked_ = false; // `wake` was called
    doorbell bell_;
    doorbell::state told_bell_ = doorbell::state::letting_go;
    std::vector<int> suspects_; // sessions that may hold the key for us still, though their connections are lost
    doorbell_key key_;

    mutable std::mutex mutex_; // of `status_`
    status status_;
    std::thread thread_; // last: it uses the others
};

} // namespace rowcast::postgres
