#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "core/batch.hpp"

namespace rowcast::hub {

// The most recent batches, for those who were away for a moment: resuming from here costs PostgreSQL nothing.
class ring {
public:
    struct limits {
        std::size_t bytes = 64 * 1024 * 1024;
        std::size_t batches = 20'000; // an idle server's batches are small, but not free
    };

    explicit ring(limits most) : most_(most) {}

    // Forgets everything; the ring then reaches back to `head`.
    void restart(core::snapshot head);
    void push(core::batch_ptr added);

    // The oldest batches from the cursor's position on, up to about `bytes` but at least one; `complete` says whether
    // they reach the newest. Nothing where the ring does not reach back to the cursor.
    struct part {
        std::vector<core::batch_ptr> batches;
        bool complete = true;
    };
    std::optional<part> since(const core::cursor& position, std::size_t bytes) const;

    // Everything that the last complete step sees.
    const core::snapshot& settled() const { return settled_; }
    // The position of a reader who has taken everything.
    const core::cursor& head() const { return head_; }
    bool inside_transaction() const { return !held_.empty() && held_.back()->transaction_goes_on; }

private:
    limits most_;
    std::deque<core::batch_ptr> held_;
    std::size_t bytes_ = 0;
    core::snapshot start_;   // what the reader of held_.front() must have
    bool start_is_inside_ = false; // held_.front() is not the first page of its step
    core::snapshot settled_;
    core::cursor head_;
};

} // namespace rowcast::hub
