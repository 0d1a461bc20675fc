#include "hub/feed_state.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace rowcast::hub {

feed::state::state(shard& home, feed_limits limits, ready_call ready)
    : home_(home), limits_(limits), ready_(std::move(ready)), items_(recycling_allocator<item>(home.queued_))
{
    home_.enter(*this);
}

bool feed::state::subscription::wants(const event& what) const
{
    return operations.empty() || what.op == core::operation::truncate || what.what == event::kind::resync || operations.contains(what.op);
}

core::result<void> feed::state::subscribe(std::vector<request> wanted, std::optional<std::string> after, std::optional<core::error_code> reset, bool named)
{
    assert(named || subscriptions_.empty());
    // Those that were stopped count until they are subscribed again or left: the client decides how many there are.
    const auto known = std::count_if(wanted.begin(), wanted.end(), [this](const request& each) { return find(each.id) != nullptr; });
    if (subscriptions_.size() + wanted.size() - static_cast<std::size_t>(known) > limits_.subscriptions) {
        return core::failure{core::error_code::too_many_subscriptions,
                             "a session may have " + std::to_string(limits_.subscriptions) + " subscriptions"};
    }
    const std::uint64_t number = ++last_group_;
    for (request& each : wanted) {
        if (const subscription* same = find(each.id)) {
            if (!same->stopped) {
                return core::failure{core::error_code::duplicate_subscription, "\"" + each.id + "\" is subscribed already"};
            }
            subscriptions_.erase(number_of(*same));
        }
        subscription& made = subscriptions_[++last_subscription_];
        made.id = std::move(each.id);
        made.view = std::move(each.view);
        made.operations = std::move(each.operations);
        made.snapshot = each.snapshot;
        made.group = number;
    }
    group& started = groups_[number];
    started.named = named;
    started.after = std::move(after);
    started.reset = reset;
    start(number);
    return {};
}

core::result<void> feed::state::unsubscribe(std::string_view id)
{
    const auto found = std::find_if(subscriptions_.begin(), subscriptions_.end(), [&](const auto& entry) { return entry.second.id == id; });
    if (found == subscriptions_.end()) {
        return core::failure{core::error_code::unknown_subscription, "there is no subscription \"" + std::string(id) + "\""};
    }
    detach(found->second);
    const std::uint64_t left = found->second.group;
    subscriptions_.erase(found);
    drop_if_empty(left);
    say_at_once(unsubscribed{std::string(id)});
    return {};
}

void feed::state::stop(std::string_view id, std::string reason)
{
    subscription* const found = find(id);
    if (!found || found->stopped) {
        return;
    }
    detach(*found);
    found->stopped = true;
    const std::uint64_t left = std::exchange(found->group, 0);
    drop_if_empty(left);
    std::erase_if(items_, [&](const item& each) {
        const auto* said = std::get_if<output>(&each);
        const auto* page = said ? std::get_if<hub::rows>(said) : nullptr;
        return page && page->id == id;
    });
    push(output(hub::resync{std::string(id), std::move(reason)}));
}

void feed::state::resync(std::size_t number, const std::string& reason)
{
    if (const auto found = subscriptions_.find(number); found != subscriptions_.end()) {
        stop(found->second.id, reason);
    }
}

void feed::state::take(const publication_ptr& published, std::size_t number, const std::vector<event>& events)
{
    const auto found = subscriptions_.find(number);
    if (found == subscriptions_.end() || found->second.stopped || found->second.fallen) {
        return;
    }
    const auto is_wanted = [&](const event& each) { return found->second.wants(each); };
    if (std::none_of(events.begin(), events.end(), is_wanted)) {
        return;
    }
    page_work& work = page_of(published);
    assert(work.next == 0); // nothing is handed out before all of it has been taken
    const auto before = static_cast<std::ptrdiff_t>(work.matches.size());
    for (const event& each : events) {
        if (is_wanted(each)) {
            work.matches.push_back({each.ordinal, number, &each});
            pending_bytes_ += each.text->size();
        }
    }
    std::inplace_merge(work.matches.begin(), work.matches.begin() + before, work.matches.end());
    const core::batch& batch = *published->batch;
    queued_open_ = batch.transaction_goes_on && work.change(work.matches.back()).xid == batch.changes.back().xid
                       ? batch.changes.back().xid
                       : 0;
    if (pending_bytes_ > limits_.pending_bytes) {
        overflow();
    }
}

void feed::state::close_transaction(const publication_ptr& published)
{
    const core::batch& batch = *published->batch;
    const auto* last = items_.empty() ? nullptr : std::get_if<page_work>(&items_.back());
    const bool told = last && last->published == published;
    if (told || queued_open_ == 0 || (batch.transaction_goes_on && batch.changes.back().xid == queued_open_)) {
        return;
    }
    queued_open_ = 0;
    page_of(published);
}

void feed::state::told()
{
    if (std::exchange(begins_, false) && ready_) {
        ready_(pull::now);
    }
}

std::optional<std::string> feed::state::moved_on()
{
    const bool any_live = std::any_of(subscriptions_.begin(), subscriptions_.end(), [](const auto& entry) {
        return entry.second.group == 0 && !entry.second.stopped;
    });
    if (!any_live || overflowed_ || !items_.empty() || live_.told_more || !groups_.empty() || home_.cursor().empty() ||
        hash(home_.cursor()) == last_cursor_) {
        return std::nullopt;
    }
    last_cursor_ = hash(home_.cursor());
    return home_.cursor();
}

bool feed::state::has_output() const
{
    return overflowed_ || !items_.empty() || std::any_of(groups_.begin(), groups_.end(), [](const auto& entry) {
        return entry.second.now == group::step::waiting;
    });
}

std::size_t feed::state::subscriptions() const
{
    return static_cast<std::size_t>(
        std::count_if(subscriptions_.begin(), subscriptions_.end(), [](const auto& entry) { return !entry.second.stopped; }));
}

standing feed::state::survey() const
{
    standing mine;
    mine.sessions = 1;
    mine.subscriptions = subscriptions();
    mine.catching_up = overflowed_ || !groups_.empty() ? 1 : 0;
    const auto stands_at = [&](core::transaction_id xid) { mine.slowest = std::min(mine.slowest.value_or(xid), xid); };
    for (const auto& [number, each] : groups_) {
        if (each.position.seen.xmax != 0) { // else its cursor has not been looked at
            stands_at(each.position.seen.xmin);
        }
    }
    if (const page_work* first = oldest_live()) {
        stands_at(first->batch().before.xmin);
    }
    return mine;
}

void feed::state::leave()
{
    ready_ = nullptr;
    groups_.clear();
    for (auto& [number, each] : subscriptions_) {
        detach(each);
    }
    subscriptions_.clear();
    home_.unfinished_.erase(this);
    home_.leave(*this);
    if (keeps_since_) {
        home_.keeps_no_more(*this, *keeps_since_);
    }
}

std::optional<std::uint64_t> feed::state::let_go(std::uint64_t before)
{
    keeps_since_.reset();
    const page_work* const oldest = oldest_live();
    if (!oldest) {
        return std::nullopt;
    }
    if (oldest->since >= before) {
        return keeps_since_ = oldest->since;
    }
    overflow();
    return std::nullopt;
}

const page_work* feed::state::oldest_live() const
{
    for (const item& each : items_) {
        if (const auto* work = std::get_if<page_work>(&each); work && work->group == 0) {
            return work;
        }
    }
    return nullptr;
}

// The page in the queue that has its part of it.
page_work& feed::state::page_of(const publication_ptr& published)
{
    auto* const last = items_.empty() ? nullptr : std::get_if<page_work>(&items_.back());
    if (last && last->published == published) {
        return *last;
    }
    begins_ = begins_ || items_.empty();
    if (!keeps_since_) {
        keeps_since_ = home_.published();
        home_.keeps(*this, *keeps_since_);
    }
    return std::get<page_work>(items_.emplace_back(std::in_place_type<page_work>, published, home_.published()));
}

void feed::state::push(item added)
{
    insert(items_.end(), std::move(added));
}

void feed::state::insert(queue::const_iterator before, item added)
{
    items_.insert(before, std::move(added));
    if (items_.size() == 1 && ready_) {
        ready_(pull::soon);
    }
}

// The pages that wait no longer hold anything for it, while their cursors still hold for everything that the client believes
// to be subscribed: so it must be told before them, though after what else is to be said about the subscription.
void feed::state::say_at_once(unsubscribed what)
{
    const auto about_it = [&](const item& each) {
        const auto* said = std::get_if<output>(&each);
        return said && std::visit([&](const auto& words) { return words.id == what.id; }, *said);
    };
    const auto last = std::find_if(items_.rbegin(), items_.rend(), about_it);
    insert(last.base(), output(std::move(what)));
}

void feed::state::detach(subscription& from)
{
    if (from.attached == 0) {
        return;
    }
    const std::size_t number = number_of(from);
    home_.remove(from.attached, {this, number});
    home_.remove(from.view.sets, {this, number});
    home_.hub_.detach(home_.id_, {std::exchange(from.attached, 0)});
}

// A cursor ends in its signature, which differs at random.
std::uint64_t feed::state::hash(std::string_view cursor)
{
    std::uint64_t made = 0;
    const std::string_view end = cursor.substr(cursor.size() - std::min(cursor.size(), sizeof made));
    std::memcpy(&made, end.data(), end.size());
    return made;
}

std::size_t feed::state::number_of(const subscription& of) const
{
    return std::find_if(subscriptions_.begin(), subscriptions_.end(), [&](const auto& entry) { return &entry.second == &of; })->first;
}

feed::state::subscription* feed::state::find(std::string_view id)
{
    for (auto& [number, each] : subscriptions_) {
        if (each.id == id) {
            return &each;
        }
    }
    return nullptr;
}

} // namespace rowcast::hub
