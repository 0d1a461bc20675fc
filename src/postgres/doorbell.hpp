#pragma once

#include "core/snapshot.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace rowcast::postgres {

// Whether writers ring, without the I/O. Ringing (NOTIFY) is cheap as long as commits do not meet: it makes them wait for
// each other, each through its own flush. So while the log is busy a bridge holds the bell's key, which keeps the writers
// quiet, and looks by itself every few milliseconds.
//
//     sleeping --busy--> taking --got the key--> quiet --calm for a second--> letting go --everybody heard--> sleeping
//                          '------calm again------------------------------------^  ^--- start, lost connections
//
// Whoever wrote while the key was held has not rung, and may commit much later. So after letting go, after every connect
// (another bridge may have held the key) and after a loss, the log is looked at by itself until every transaction is
// finished that may have skipped the bell: a transaction id X is drawn after the key was let go, and the snapshot's xmin
// must pass it. (The snapshot at letting go would not do: its xmax does not cover ids that are handed out already.)
class doorbell {
public:
    using clock = std::chrono::steady_clock;
    using time = clock::time_point;

    enum class state { sleeping, taking, quiet, letting_go };
    enum class action {
        take,    // try to take the key; answered by `took`, or `key_lost`
        release, // answered by `released`, or `key_lost`
        mark,    // draw a transaction id, once nobody holds the key for us any more; answered by `marked`
    };

    // What makes a log busy: many transactions, or some that wait for each other.
    struct thresholds {
        double transactions = 1000; // a second
        double crowded_transactions = 100;
        double crowd = 2; // transactions that are open at a time, but for those that have been for seconds
        // Calm is less than half of the first, and less than half of the second or a quarter of the third.
        std::chrono::milliseconds window{100};
        std::chrono::milliseconds calm_for{1000};
    };

    // What a read to the present found.
    struct reading {
        time at;
        std::chrono::microseconds took{0};
        std::size_t transactions = 0;
        const core::snapshot& seen; // everything in it has been read
        std::chrono::microseconds waited{0}; // those transactions, between their last change and the reading, at most
        std::chrono::microseconds handed_out{0}; // what was read before, to those whom it concerns: how long that took of late
    };

    doorbell(std::chrono::milliseconds poll_interval, thresholds busy);

    state current() const;

    // Of the connection that listens and reads. It is to read at once after `connected`.
    void connected(time now);
    void disconnected();

    void read(const reading& found);
    void took(bool have_key, time now);
    void released();
    void key_lost(); // the connection that holds the key, or may hold it
    void marked(std::optional<core::transaction_id> drawn); // nothing: a lost connection's session holds the key still

    // What is to be done now, each once; ask until nothing comes.
    std::optional<action> next(time now);

    time next_read() const; // at the latest
    bool heeds_bell() const { return phase_ != phase::quiet; } // whether a bell is a reason to read earlier
    bool rings() const { return kept_quiet_; } // whether to tell other bridges of changes: their writers may not have rung

private:
    enum class phase { sleeping, taking, quiet, releasing, unmarked, marked };

    struct window {
        time since;
        std::size_t reads = 0;
        std::size_t transactions = 0;
        std::size_t crowd = 0;
        std::chrono::microseconds waited{0}; // all of them together
    };
    struct load {
        bool busy;
        bool calm;
        std::chrono::milliseconds over;
    };
    std::optional<load> measure(const reading& found);

    std::size_t crowd_in(const core::snapshot& seen, time now);
    void follow_up();  // to `unmarked`
    void give_up();    // from `taking`
    void weigh(const load& seen, time now);

    const std::chrono::milliseconds poll_interval_;
    const thresholds busy_;
    phase phase_ = phase::unmarked;
    std::optional<action> due_;
    bool connected_ = false;
    bool kept_quiet_ = false; // somebody may have skipped the bell for us
    std::optional<core::transaction_id> until_; // X, while somebody below it may be open
    std::optional<time> next_try_;              // of taking; nothing: a try is under way
    std::chrono::milliseconds between_tries_{0};
    std::chrono::milliseconds pace_{0};         // between the reads of a follow-up
    std::chrono::milliseconds calm_for_{0};
    std::chrono::microseconds rest_{0}; // after the last read
    time last_read_{};
    window window_;
    // Transaction ids as they were one and two seconds ago, roughly.
    time marked_at_{};
    core::transaction_id young_ = 0;
    core::transaction_id next_young_ = 0;
};

std::string_view to_string(doorbell::state what); // "letting_go"

} // namespace rowcast::postgres
