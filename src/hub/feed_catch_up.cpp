#include <algorithm>
#include <cassert>

#include "hub/feed_state.hpp"

namespace rowcast::hub {
namespace {

// What a slow client holds of a page for itself. One with more candidates is looked at change by change.
constexpr std::size_t most_candidates = 1000;

} // namespace

void feed::state::start(std::uint64_t number)
{
    if (!groups_.at(number).after && wants_rows(number)) {
        read_rows(number);
    } else {
        attach(number);
    }
}

void feed::state::attach(std::uint64_t number)
{
    group& joining = groups_.at(number);
    if (joining.named && main_is_away()) {
        joining.now = group::step::waiting;
        return;
    }
    joining.now = group::step::attaching;
    const std::vector<std::size_t> who = members(number);
    attach_request wanted{{}, joining.after};
    for (const std::size_t member : who) {
        wanted.views.push_back(subscriptions_.at(member).view);
    }
    home_.hub_.attach(home_.id_, std::move(wanted),
                      [weak = weak_from_this(), &home = home_, number, who](attach_reply reply) {
                          if (const auto self = weak.lock(); self && self->ready_) {
                              self->attached(number, who, std::move(reply));
                          } else if (!reply.views.empty()) {
                              home.hub_.detach(home.id_, std::move(reply.views));
                          }
                      });
}

void feed::state::attached(std::uint64_t number, const std::vector<std::size_t>& who, attach_reply reply)
{
    const auto found = groups_.find(number);
    const bool parked = found != groups_.end() && found->second.named && main_is_away();
    if (found == groups_.end() || parked) {
        // Everybody has left, or the live stream has fallen back meanwhile: this group must wait for it.
        if (!reply.views.empty()) {
            home_.hub_.detach(home_.id_, std::move(reply.views));
        }
        if (parked) {
            found->second.now = group::step::waiting;
        }
        return;
    }
    group& joining = found->second;
    joining.codec = reply.codec;
    switch (reply.what) {
    case attach_reply::outcome::reset:
        if (joining.announced) {
            home_.hub_.detach(home_.id_, std::move(reply.views));
            give_up(number, reply.reason);
            return;
        }
        joining.reset = reply.reason;
        if (wants_rows(number)) {
            home_.hub_.detach(home_.id_, std::move(reply.views));
            joining.after.reset();
            read_rows(number);
            return;
        }
        [[fallthrough]];
    case attach_reply::outcome::live:
        announce(number, joining.reset ? subscribed::status::reset : subscribed::status::live, reply.cursor);
        joining.position = joining.codec->open(reply.cursor).value();
        joining.now = group::step::replaying;
        joining.announced_as_live = true;
        adopt(who, reply.views);
        push(join{number});
        break;
    case attach_reply::outcome::resumed:
    case attach_reply::outcome::replaying:
        announce(number, subscribed::status::resumed, joining.after.value_or(reply.cursor));
        joining.position = *reply.opened;
        joining.now = group::step::replaying;
        if (reply.what == attach_reply::outcome::resumed) {
            push_past(number, reply.replay, reply.first);
            adopt(who, reply.views);
            push(join{number});
        } else {
            push_past(number, reply.replay, reply.first, most_replayed);
            push(attach_again{number});
        }
        break;
    case attach_reply::outcome::behind:
        joining.position = *reply.opened;
        read(number);
        break;
    case attach_reply::outcome::superseded:
        end_superseded(number, reply.cursor);
        if (groups_.contains(number)) {
            start(number);
        }
        break;
    }
}

// Of these pages those that may concern the group, the ends of transactions that do, and the last, which brings it there; up to about
// `bytes` of them. Before each the end of a step that was passed over: a position has the order of one step, and must not reach
// over several.
void feed::state::push_past(std::uint64_t number, const std::vector<chapter_ptr>& past, std::uint32_t first, std::size_t bytes)
{
    bool open = groups_.at(number).open != 0; // the last page goes on inside a transaction that concerns it
    std::size_t sum = 0;
    const core::batch* passed_over = nullptr;
    std::vector<std::pair<chapter::place, std::size_t>> found;
    for (const chapter_ptr& each : past) {
        const auto end = static_cast<std::uint32_t>(each->pages().size());
        found.clear();
        for (const std::size_t member : members(number)) {
            for (const chapter::place& place : each->candidates(subscriptions_.at(member).view, {first, 0}, {end, 0})) {
                found.emplace_back(place, member);
            }
        }
        std::sort(found.begin(), found.end());
        auto next = found.cbegin();
        for (std::uint32_t page = std::exchange(first, 0); page < end; ++page) {
            std::vector<page_work::candidate> candidates;
            for (; next != found.cend() && next->first.page == page; ++next) {
                candidates.push_back({next->first.ordinal, next->second});
            }
            const core::batch_ptr& batch = each->pages()[page];
            const bool last = page + 1 == end && each == past.back();
            if (candidates.empty() && !open && !last) {
                passed_over = batch->complete ? batch.get() : passed_over;
                continue;
            }
            if (passed_over) { // its end alone: what it holds is not to wait here
                const core::batch emptied{passed_over->before, passed_over->after, {}};
                push(page_work(number, std::make_shared<const core::batch>(emptied), std::vector<page_work::candidate>()));
                passed_over = nullptr;
            }
            const bool concerned = !candidates.empty() && batch->changes[candidates.back().ordinal].xid == batch->changes.back().xid;
            open = batch->transaction_goes_on && (concerned || (open && batch->is_part_of_transaction()));
            sum += last ? 0 : batch->memory() + candidates.size() * sizeof candidates.front();
            const bool too_many = candidates.size() > most_candidates;
            push(page_work(number, batch, too_many ? std::nullopt : std::optional(std::move(candidates))));
            if (sum > bytes) {
                return;
            }
        }
    }
}

// What they were authorized for does not hold any more; the others go on without them.
void feed::state::end_superseded(std::uint64_t number, const std::string& cursor)
{
    const bool announced = groups_.at(number).announced;
    for (const std::size_t member : members(number)) {
        const subscription& each = subscriptions_.at(member);
        if (!each.view.is_superseded()) {
            continue;
        }
        const std::string id = each.id;
        if (!announced) {
            push(output(subscribed{id, subscribed::status::reset, core::error_code::permissions_changed, cursor}));
        }
        stop(id, permissions_changed);
    }
}

void feed::state::read(std::uint64_t number)
{
    group& joining = groups_.at(number);
    joining.now = group::step::reading;
    std::vector<view_spec> views;
    for (const std::size_t member : members(number)) {
        views.push_back(subscriptions_.at(member).view);
    }
    joining.reading = home_.hub_.read_log(home_.id_, joining.position, joining.codec, std::move(views));
    joining.reading->next([this, number](auto page) { page_read(number, std::move(page)); });
}

// Called only while the group's reading lives, so only while the group and this state do.
void feed::state::page_read(std::uint64_t number, core::result<log_reading::page> page)
{
    group& joining = groups_.at(number);
    if (!page) {
        joining.reading.reset();
        if (joining.announced) {
            give_up(number, page.error().code);
        } else {
            joining.reset = page.error().code;
            joining.after.reset();
            start(number);
        }
        return;
    }
    announce(number, subscribed::status::resumed, joining.after.value_or(std::string()));
    joining.position = page->position;
    if (page->what) {
        assert(page->what->pages().size() == 1); // the next one is asked for when this one is finished
        push_past(number, {page->what});
        return;
    }
    joining.reading.reset();
    joining.after = page->cursor;
    attach(number);
}

bool feed::state::wants_rows(std::uint64_t number) const
{
    return std::any_of(subscriptions_.begin(), subscriptions_.end(),
                       [&](const auto& entry) { return entry.second.group == number && entry.second.snapshot; });
}

void feed::state::read_rows(std::uint64_t number)
{
    group& joining = groups_.at(number);
    joining.now = group::step::rows;
    row_request wanted;
    joining.row_members.clear();
    for (const std::size_t member : members(number)) {
        const subscription& each = subscriptions_.at(member);
        if (each.snapshot) {
            wanted.views.push_back(std::get<std::shared_ptr<const policy::visibility>>(each.view.target));
            joining.row_members.push_back(member);
        }
    }
    joining.rows = home_.hub_.read_rows(home_.id_, std::move(wanted));
    ask_for_rows(number);
}

void feed::state::ask_for_rows(std::uint64_t number)
{
    groups_.at(number).rows->next([this, number](auto page) { rows_read(number, std::move(page)); });
}

// As page_read: only while the group lives.
void feed::state::rows_read(std::uint64_t number, core::result<row_reading::page> page)
{
    if (!page) {
        refuse(number, page.error());
        return;
    }
    if (groups_.at(number).announced) {
        give_rows(number, std::move(*page));
        return;
    }
    // They were authorized before the rows were read: what has ended their rights since must be known first.
    const std::string cursor = page->cursor;
    home_.await(cursor, [weak = weak_from_this(), number, page = std::move(*page)]() mutable {
        if (const auto self = weak.lock(); self && self->ready_ && self->groups_.contains(number)) {
            self->give_rows(number, std::move(page));
        }
    });
}

// The next page is asked for when the client has taken this one.
void feed::state::give_rows(std::uint64_t number, row_reading::page page)
{
    end_superseded(number, page.cursor);
    const auto found = groups_.find(number);
    if (found == groups_.end()) {
        return;
    }
    group& joining = found->second;
    announce(number, joining.reset ? subscribed::status::reset : subscribed::status::live, page.cursor);
    const auto member = subscriptions_.find(joining.row_members[page.view]);
    const bool last = !page.more && page.view + 1 == joining.row_members.size();
    if (member != subscriptions_.end() && !member->second.stopped) {
        push(output(hub::rows{member->second.id, std::move(page.rows), page.more, last ? page.cursor : std::string()}));
    }
    if (!last) {
        push(read_on{number});
        return;
    }
    joining.rows.reset();
    joining.after = page.cursor;
    attach(number);
}

// It did not come to be: for the client, it never was.
void feed::state::refuse(std::uint64_t number, const core::failure& why)
{
    for (const std::size_t member : members(number)) {
        push(output(refused{subscriptions_.at(member).id, why}));
        subscriptions_.erase(member);
    }
    groups_.erase(number);
}

void feed::state::announce(std::uint64_t number, subscribed::status what, const std::string& cursor)
{
    group& joining = groups_.at(number);
    if (std::exchange(joining.announced, true)) {
        return;
    }
    for (const std::size_t member : members(number)) {
        push(output(subscribed{subscriptions_.at(member).id, what, joining.reset.value_or(core::error_code::internal), cursor}));
    }
    last_cursor_ = hash(cursor);
}

// The way back to the live stream is lost for subscriptions that the client has been receiving: they must read again.
void feed::state::give_up(std::uint64_t number, core::error_code why)
{
    for (const std::size_t member : members(number)) {
        stop(subscriptions_.at(member).id, std::string(to_string(why)));
    }
}

// From here on the members' events are queued, behind what stands in the queue already.
void feed::state::adopt(const std::vector<std::size_t>& who, const std::vector<view_id>& views)
{
    assert(who.size() == views.size());
    std::vector<view_id> unclaimed;
    for (std::size_t i = 0; i < who.size(); ++i) {
        const auto member = subscriptions_.find(who[i]);
        if (member == subscriptions_.end() || member->second.stopped) {
            unclaimed.push_back(views[i]);
            continue;
        }
        member->second.attached = views[i];
        home_.add(views[i], {this, who[i]});
        home_.add(member->second.view.sets, {this, who[i]});
    }
    if (!unclaimed.empty()) {
        home_.hub_.detach(home_.id_, std::move(unclaimed));
    }
}

void feed::state::start_waiting_groups()
{
    std::vector<std::uint64_t> waiting;
    for (const auto& [number, each] : groups_) {
        if (each.now == group::step::waiting && (!each.named || !main_is_away())) {
            waiting.push_back(number);
        }
    }
    for (const std::uint64_t number : waiting) {
        attach(number);
    }
}

// The live stream has fallen back: no cursor of another subscription could hold for all.
bool feed::state::main_is_away() const
{
    return std::any_of(groups_.begin(), groups_.end(), [](const auto& entry) { return !entry.second.named; });
}

std::vector<std::size_t> feed::state::members(std::uint64_t number) const
{
    std::vector<std::size_t> found;
    for (const auto& [member, each] : subscriptions_) {
        if (each.group == number) {
            found.push_back(member);
        }
    }
    std::sort(found.begin(), found.end()); // as they were asked for
    return found;
}

void feed::state::drop_if_empty(std::uint64_t number)
{
    if (number != 0 && members(number).empty()) {
        groups_.erase(number);
    }
}

// Forgets every page that waits, keeps what was said about subscriptions, and sends everybody back to the position up
// to which the client has taken their changes.
void feed::state::overflow()
{
    const page_work* const first = oldest_live();
    assert(first);
    const std::uint64_t number = ++last_group_;
    group fallen;
    static_cast<stream&>(fallen) = live_;
    fallen.codec = first->published->codec;
    fallen.position = first->reached();
    fallen.named = false;
    fallen.announced = true;
    fallen.after = fallen.codec->seal(fallen.position);
    bool any = false;
    for (auto& [member, each] : subscriptions_) {
        const auto joining = groups_.find(each.group);
        const bool as_live = joining != groups_.end() && joining->second.announced_as_live;
        if (each.stopped || (each.group != 0 && !as_live)) {
            continue;
        }
        if (as_live) {
            each.start = std::make_unique<const core::cursor>(joining->second.position);
        }
        each.group = number;
        any = true;
    }
    for (auto& [member, each] : subscriptions_) {
        each.fallen = each.attached != 0;
    }
    std::erase_if(groups_, [](const auto& entry) { return entry.second.announced_as_live; });
    for (auto& [other, each] : groups_) {
        if (each.now == group::step::replaying || each.now == group::step::reading) {
            each.now = group::step::waiting;
            each.reading.reset();
            each.after = each.codec->seal(each.position);
        }
    }
    if (any) {
        groups_.emplace(number, std::move(fallen));
    }
    live_ = {};
    std::erase_if(items_, [](const item& each) {
        return !std::holds_alternative<output>(each) && !std::holds_alternative<read_on>(each);
    });
    pending_bytes_ = 0;
    queued_open_ = 0;
    overflowed_ = true;
    fell_behind_ = true;
    if (items_.empty() && ready_) {
        ready_(pull::soon);
    }
}

void feed::state::settle()
{
    if (!std::exchange(overflowed_, false)) {
        return;
    }
    for (auto& [number, each] : subscriptions_) {
        if (std::exchange(each.fallen, false)) {
            detach(each);
        }
    }
}

} // namespace rowcast::hub
