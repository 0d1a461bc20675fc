#include "hub/ring.hpp"

#include <algorithm>

namespace rowcast::hub {

void ring::restart(core::snapshot head)
{
    held_.clear();
    bytes_ = 0;
    start_is_inside_ = false;
    start_ = settled_ = head;
    head_ = {std::move(head), std::nullopt};
}

void ring::push(core::batch_ptr added)
{
    bytes_ += added->memory();
    if (added->complete) {
        settled_ = added->after;
    }
    head_ = added->position();
    held_.push_back(std::move(added));
    while (bytes_ > most_.bytes || held_.size() > most_.batches) {
        const core::batch& oldest = *held_.front();
        bytes_ -= oldest.memory();
        start_is_inside_ = !oldest.complete;
        start_ = oldest.complete ? oldest.after : oldest.before;
        held_.pop_front();
    }
}

std::optional<ring::part> ring::since(const core::cursor& position, std::size_t bytes) const
{
    if (position == head_) {
        return part{};
    }
    auto first = held_.begin();
    if (position.inside) {
        // In the middle of a step only the very same step continues; its earlier pages must all have been taken.
        const auto same_step = [&](const core::batch_ptr& each) {
            return each->before == position.seen && each->after == position.inside->target;
        };
        first = std::find_if(first, held_.end(), same_step);
        if (first == held_.end()) {
            return std::nullopt;
        }
        const bool cut = first == held_.begin() && start_is_inside_;
        if (cut && !((*first)->changes.front().where <= position.inside->last)) {
            return std::nullopt;
        }
        const auto taken = [&](const core::batch_ptr& each) {
            return same_step(each) && !each->complete && each->changes.back().where <= position.inside->last;
        };
        first = std::find_if_not(first, held_.end(), taken);
    } else {
        if (!position.seen.includes(start_)) {
            return std::nullopt;
        }
        // The steps' ends are totally ordered, as snapshots of one primary are.
        first = std::partition_point(first, held_.end(), [&](const core::batch_ptr& each) { return position.seen.includes(each->after); });
        if (first == held_.begin() && start_is_inside_) {
            return std::nullopt;
        }
    }
    part found;
    std::size_t sum = 0;
    for (; first != held_.end(); ++first) {
        if (sum > bytes) {
            found.complete = false;
            break;
        }
        sum += (*first)->memory();
        found.batches.push_back(*first);
    }
    return found;
}

} // namespace rowcast::hub
