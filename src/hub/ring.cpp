#include "hub/ring.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

namespace rowcast::hub {
namespace {

// How many transactions are remembered of a step's pages that are gone; beyond it nobody is served from the rest.
constexpr std::size_t most_dropped = 100'000;

// A chapter is kept as long as one of its pages; a reply lists so many at most.
constexpr std::size_t chapter_bytes = 512 * 1024;
constexpr std::size_t most_chapters = 256;

std::vector<core::transaction_id> transactions_of(const core::batch& page)
{
    std::vector<core::transaction_id> found;
    for (const core::change& each : page.changes) {
        if (found.empty() || found.back() != each.xid) {
            found.push_back(each.xid);
        }
    }
    std::sort(found.begin(), found.end());
    return found;
}

} // namespace

void ring::restart(core::snapshot head)
{
    held_.clear();
    dropped_.clear();
    bytes_ = 0;
    start_is_inside_ = false;
    start_ = settled_ = head;
    head_ = {std::move(head), std::nullopt};
}

void ring::restart(core::snapshot from, std::vector<core::batch_ptr> past)
{
    const core::snapshot head = past.empty() ? from : past.back()->after;
    restart(std::move(from));
    for (core::batch_ptr& each : past) {
        push(std::move(each));
    }
    if (start_is_inside_) {
        restart(head);
    }
}

void ring::push(core::batch_ptr added)
{
    page made;
    bytes_ += made.bytes = added->memory();
    made.in_parts = !added->complete || (!held_.empty() && !held_.back().batch->complete);
    if (made.in_parts) {
        made.whose = transactions_of(*added);
    }
    if (added->complete) {
        settled_ = added->after;
    }
    head_ = added->position();
    made.batch = std::move(added);
    held_.push_back(std::move(made));
    while (bytes_ > most_.bytes || held_.size() > most_.batches) {
        drop_oldest();
    }
}

void ring::drop_oldest()
{
    const page& oldest = held_.front();
    bytes_ -= oldest.bytes;
    start_is_inside_ = !oldest.batch->complete;
    start_ = start_is_inside_ ? oldest.batch->before : oldest.batch->after;
    transactions dropped;
    if (start_is_inside_) {
        std::set_union(dropped_.begin(), dropped_.end(), oldest.whose.begin(), oldest.whose.end(), std::back_inserter(dropped));
    }
    if (dropped.size() > most_dropped) {
        dropped = {UINT64_MAX}; // which nobody has seen
    }
    dropped_ = std::move(dropped);
    held_.pop_front();
}

bool ring::covers(const core::snapshot& seen, const transactions& all)
{
    if (all.empty()) {
        return true;
    }
    return all.back() < seen.xmax && std::none_of(seen.in_progress.begin(), seen.in_progress.end(), [&](core::transaction_id open) {
               return std::binary_search(all.begin(), all.end(), open);
           });
}

std::optional<ring::part> ring::since(const core::cursor& position)
{
    if (position == head_) {
        return part{};
    }
    const auto first = position.inside ? find_inside(position) : find(position);
    if (!first) {
        return std::nullopt;
    }
    part found;
    for (auto each = held_.begin() + (*first - held_.cbegin()); each != held_.end();) {
        if (found.chapters.size() == most_chapters) {
            found.complete = false;
            break;
        }
        if (!each->part_of) {
            begin_chapter(each);
        }
        if (found.chapters.empty()) {
            found.first = each->number;
        }
        found.chapters.push_back(each->part_of);
        for (; each != held_.end() && each->part_of == found.chapters.back(); ++each) {
            found.bytes += &*each == &held_.back() ? 0 : each->bytes;
        }
    }
    return found;
}

// From that page on, as far as it reaches: small pages share one.
void ring::begin_chapter(std::deque<page>::iterator first)
{
    std::vector<core::batch_ptr> pages;
    std::size_t bytes = 0;
    auto end = first;
    for (; end != held_.end() && !end->part_of && (bytes == 0 || bytes + end->bytes <= chapter_bytes); ++end) {
        bytes += end->bytes;
        end->number = static_cast<std::uint32_t>(pages.size());
        pages.push_back(end->batch);
    }
    const auto made = std::make_shared<const chapter>(std::move(pages));
    std::for_each(first, end, [&](page& each) { each.part_of = made; });
}

// In the middle of a step only a step to the same end continues; its earlier pages must all have been taken. Where it
// began does not matter to who had everything by then: the order inside a step is the same. But it must be over, since
// pages that are still to come go to everybody, without a look at what each has.
std::optional<ring::place> ring::find_inside(const core::cursor& position) const
{
    const bool over = settled_.includes(position.inside->target);
    const auto same_step = [&](const page& each) {
        return each.batch->after == position.inside->target &&
               (each.batch->before == position.seen || (over && position.seen.includes(each.batch->before)));
    };
    const place first = std::find_if(held_.begin(), held_.end(), same_step);
    if (first == held_.end()) {
        return std::nullopt;
    }
    const bool cut = first == held_.begin() && start_is_inside_;
    if (cut && !(first->batch->changes.front().where <= position.inside->last)) {
        return std::nullopt;
    }
    return std::find_if_not(first, held_.end(), [&](const page& each) {
        return same_step(each) && !each.batch->complete && each.batch->changes.back().where <= position.inside->last;
    });
}

std::optional<ring::place> ring::find(const core::cursor& position) const
{
    if (!position.seen.includes(start_)) {
        return std::nullopt;
    }
    // The steps' ends are totally ordered, as snapshots of one primary are.
    const place first = std::partition_point(held_.begin(), held_.end(), [&](const page& each) { return position.seen.includes(each.batch->after); });
    if (first == held_.begin() && start_is_inside_ && !covers(position.seen, dropped_)) {
        return std::nullopt;
    }
    // The last page is needed: it brings the position to the step's end.
    return std::find_if_not(first, held_.end(), [&](const page& each) {
        return each.in_parts && !each.batch->complete && covers(position.seen, each.whose);
    });
}

} // namespace rowcast::hub
