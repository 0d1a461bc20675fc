#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "core/batch.hpp"
#include "hub/chapter.hpp"

namespace rowcast::hub {

// The most recent batches, for those who were away for a moment: resuming from here costs PostgreSQL nothing.
class ring {
public:
    struct limits {
        std::size_t bytes = 32 * 1024 * 1024;
        std::size_t batches = 20'000; // an idle server's batches are small, but not free
    };

    explicit ring(limits most) : most_(most) {}

    // Forgets everything; the ring then reaches back to `head`.
    void restart(core::snapshot head);
    // The same with some past: the pages of one step, complete, that begins at `from`. Without them where they do not fit.
    void restart(core::snapshot from, std::vector<core::batch_ptr> past);
    void push(core::batch_ptr added);

    // The pages from the cursor's position on, in chapters; all who ask get the same. Nothing where the ring does not reach
    // back to the cursor. Of a large step only what the cursor does not cover: its pages up to the first such are left out.
    struct part {
        std::vector<chapter_ptr> chapters;
        std::uint32_t first = 0;  // page, in the first of them
        std::size_t bytes = 0;    // of the pages but for the last one
        bool complete = true;     // they reach the newest
    };
    std::optional<part> since(const core::cursor& position);

    // Everything that the last complete step sees.
    const core::snapshot& settled() const { return settled_; }
    // The position of a reader who has taken everything.
    const core::cursor& head() const { return head_; }
    bool inside_transaction() const { return !held_.empty() && held_.back().batch->transaction_goes_on; }

private:
    using transactions = std::vector<core::transaction_id>; // ascending

    struct page {
        core::batch_ptr batch;
        std::size_t bytes = 0;
        bool in_parts = false; // its step has several pages
        transactions whose;    // of its changes, where it is one of several
        chapter_ptr part_of;   // null: nobody has asked for it yet
        std::uint32_t number = 0; // in that chapter
    };
    using place = std::deque<page>::const_iterator;

    static bool covers(const core::snapshot& seen, const transactions& all);
    std::optional<place> find(const core::cursor& position) const;
    std::optional<place> find_inside(const core::cursor& position) const;
    void drop_oldest();
    void begin_chapter(std::deque<page>::iterator first);

    limits most_;
    std::deque<page> held_;
    std::size_t bytes_ = 0;
    core::snapshot start_;   // what the reader of held_.front() must have
    bool start_is_inside_ = false; // held_.front() is not the first page of its step
    transactions dropped_;         // those of that step's earlier pages
    core::snapshot settled_;
    core::cursor head_;
};

} // namespace rowcast::hub
