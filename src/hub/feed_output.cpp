#include <algorithm>
#include <cassert>
#include <utility>

#include "hub/feed_state.hpp"

namespace rowcast::hub {
namespace {

// What is worded ahead for one that catches up, and stays with it while it does not read.
constexpr std::size_t chunk = 16 * 1024;

// The part of a frame that stems from one change.
struct change_entries {
    std::uint32_t ordinal = UINT32_MAX;
    std::size_t first = 0;
};

// A change that is the same to several subscriptions is one event with several names.
void append(changes& out, change_entries& last, std::uint32_t ordinal, std::string_view sub, const std::string& text)
{
    if (last.ordinal != ordinal) {
        last = {ordinal, out.events.size()};
    }
    for (std::size_t i = last.first; i < out.events.size(); ++i) {
        if (out.events[i].text == text) {
            out.events[i].subs.push_back(sub);
            return;
        }
    }
    changes::entry& added = out.events.emplace_back();
    added.subs.push_back(sub);
    added.text = text;
}

// A cursor that is nobody else's.
void seal(changes& out, const core::cursor_codec& codec, const core::cursor& position)
{
    auto cursor = std::make_shared<const std::string>(codec.seal(position));
    out.cursor = *cursor;
    out.kept.push_back(std::move(cursor));
}

// The past is shown under the rights of now. What the client holds stems from the rights that it had: where those may
// have changed, it must read again.
bool ends_at(const view_spec& view, const core::change& change)
{
    return view.is_superseded() || view.may_be_changed_by(change);
}

} // namespace

std::optional<output> feed::state::next(const portion& most)
{
    std::optional<output> out; // made where the caller has it: a move takes as long as all the rest
    settle();
    while (!out) {
        if (items_.empty() && !groups_.empty()) {
            start_waiting_groups();
        }
        if (items_.empty()) {
            break;
        }
        item& front = items_.front();
        if (std::holds_alternative<page_work>(front)) {
            hand_out(most, out);
        } else if (auto* said = std::get_if<output>(&front)) {
            out = std::move(*said);
            items_.pop_front();
        } else if (const auto* joined = std::get_if<join>(&front)) {
            const std::uint64_t number = joined->group;
            items_.pop_front();
            out = let_join(number);
        } else if (const auto* again = std::get_if<attach_again>(&front)) {
            const std::uint64_t number = again->group;
            items_.pop_front();
            if (const auto found = groups_.find(number); found != groups_.end()) {
                found->second.after = found->second.codec->seal(found->second.position);
                attach(number);
            }
        } else {
            const std::uint64_t number = std::get<read_on>(front).group;
            items_.pop_front();
            if (const auto found = groups_.find(number); found != groups_.end() && found->second.rows) {
                ask_for_rows(number);
            }
        }
    }
    return out;
}

// The group is at one with the live stream. Its client must know, also where no event ever names the subscription: else
// its cursor would stay behind and expire while the others' moves on; and it must know that no transaction goes on.
std::optional<output> feed::state::let_join(std::uint64_t number)
{
    const auto found = groups_.find(number);
    if (found == groups_.end()) {
        return std::nullopt;
    }
    const std::vector<std::size_t> who = members(number);
    const group& joining = found->second;
    const bool becomes_live = joining.named && !joining.announced_as_live;
    std::optional<output> last;
    if ((becomes_live || joining.told_more) && !who.empty()) {
        changes told;
        if (joining.named) {
            told.id = subscriptions_.at(who.front()).id;
        }
        seal(told, *joining.codec, joining.position);
        told.live = becomes_live;
        last = std::move(told);
    }
    for (const std::size_t member : who) {
        subscriptions_.at(member).group = 0;
        subscriptions_.at(member).start.reset();
    }
    groups_.erase(found);
    return last;
}

// Pages of one stream that stand in the queue one behind the other, in one frame as far as it reaches. Leaves `into` empty where there is none.
void feed::state::hand_out(const portion& most, std::optional<output>& into)
{
    const std::uint64_t number = std::get<page_work>(items_.front()).group;
    const auto found = number == 0 ? groups_.end() : groups_.find(number);
    if (number != 0 && found == groups_.end()) {
        items_.pop_front();
        return;
    }
    group* const catching_up = number == 0 ? nullptr : &found->second;
    stream& to = stream_of(catching_up);
    changes& out = std::get<changes>(into.emplace(std::in_place_type<changes>));
    if (catching_up && catching_up->named) {
        out.id = subscriptions_.at(members(number).front()).id;
    }
    const bool was_open = to.told_more;
    out.replayed = catching_up != nullptr;

    std::size_t bytes = 0;
    while (!items_.empty()) {
        auto* work = std::get_if<page_work>(&items_.front());
        if (!work || work->group != number) {
            break;
        }
        change_entries last;
        for (;; work->pass()) {
            while (work->next == work->matches.size() && !work->matched) {
                if (work->worded) {
                    out.kept.push_back(std::move(work->worded));
                }
                match(*work, catching_up->position, std::min(most.bytes, chunk));
            }
            if (work->next == work->matches.size()) {
                break;
            }
            const page_work::match& next = work->matches[work->next];
            const auto member = subscriptions_.find(next.subscription);
            if (member == subscriptions_.end() || member->second.stopped) {
                continue;
            }
            const bool ends = next.what->what == event::kind::resync;
            if (ends && out.events.empty()) {
                into = hub::resync{member->second.id, *next.what->text};
                work->pass();
                detach(member->second);
                member->second.stopped = true;
                const std::uint64_t left = std::exchange(member->second.group, 0);
                drop_if_empty(left);
                return;
            }
            const bool full = out.events.size() >= most.events || bytes >= most.bytes;
            if (ends || (full && next.ordinal != last.ordinal)) {
                cut(out, *work, catching_up);
                return;
            }
            append(out, last, next.ordinal, member->second.id, *next.what->text);
            if (const auto& logged = work->batch().logged; logged && (!out.logged || *logged < *out.logged)) {
                out.logged = logged;
            }
            bytes += next.what->text->size();
            to.open = work->change(next).xid;
        }
        finish_page(out, *work, catching_up);
        items_.pop_front();
    }
    out.more = to.open != 0;
    if (out.events.empty() && !(was_open && !out.more)) {
        into.reset();
        return;
    }
    to.told_more = out.more;
    if (catching_up) {
        seal(out, *catching_up->codec, catching_up->position);
    } else {
        last_cursor_ = hash(out.cursor);
    }
}

// The next changes of a page, as far as about `bytes` of events: those who catch up have their own texts, and may be many.
void feed::state::match(page_work& work, const core::cursor& position, std::size_t bytes) const
{
    const std::vector<core::change>& changes = work.batch().changes;
    const std::vector<std::size_t> who = work.candidates ? std::vector<std::size_t>() : members(work.group);
    std::size_t sum = 0;
    auto events = std::make_shared<std::vector<std::pair<std::size_t, event>>>();
    const auto look = [&](std::uint32_t i, std::size_t member) {
        const core::change& change = changes[i];
        const auto found = subscriptions_.find(member);
        if (found == subscriptions_.end() || found->second.group != work.group || position.covers(change.xid, change.where)) {
            return;
        }
        const subscription& each = found->second;
        if (each.start && each.start->covers(change.xid, change.where)) {
            return;
        }
        auto seen = ends_at(each.view, change)
                        ? std::optional(event{i, change.op, event::kind::resync, std::make_shared<const std::string>(permissions_changed)})
                        : see(each.view, change, i, home_.write_);
        if (seen && each.wants(*seen)) {
            sum += seen->text->size();
            events->emplace_back(member, std::move(*seen));
        }
    };
    const std::size_t all = work.candidates ? work.candidates->size() : changes.size();
    for (; work.looked_at < all; ++work.looked_at) {
        const std::uint32_t i = work.candidates ? (*work.candidates)[work.looked_at].ordinal : static_cast<std::uint32_t>(work.looked_at);
        if (sum >= bytes && i != events->back().second.ordinal) {
            break;
        }
        if (work.candidates) {
            look(i, (*work.candidates)[work.looked_at].subscription);
        }
        std::for_each(who.begin(), who.end(), [&](std::size_t member) { look(i, member); });
    }
    work.matches.clear();
    work.next = 0;
    for (const auto& [member, what] : *events) {
        work.matches.push_back({what.ordinal, member, &what});
    }
    std::stable_sort(work.matches.begin(), work.matches.end());
    work.worded = std::move(events);
    work.matched = work.looked_at == all;
}

// Ends a frame inside a page, behind the last change that it holds.
void feed::state::cut(changes& out, const page_work& work, group* catching_up)
{
    const core::change& following = work.change(work.matches[work.next]);
    if (work.passed) { // else the frame ends with the page before
        core::cursor position{catching_up ? catching_up->position.seen : work.batch().before, core::cursor::progress{work.batch().after, *work.passed}};
        if (catching_up) {
            catching_up->position = std::move(position);
        } else {
            seal(out, *work.published->codec, position);
        }
    }
    if (catching_up) {
        seal(out, *catching_up->codec, catching_up->position);
    }
    if (work.published) {
        out.kept.push_back(work.published);
    } else if (work.worded) {
        out.kept.push_back(work.worded);
    }
    stream& to = stream_of(catching_up);
    out.more = to.open == following.xid;
    if (!out.more) {
        to.open = 0;
    }
    to.told_more = out.more;
}

void feed::state::finish_page(changes& out, page_work& work, group* catching_up)
{
    const core::batch& batch = work.batch();
    stream& to = stream_of(catching_up);
    // A page that the client has had already (another reading starts earlier than its position) says nothing about what is open.
    bool further = true;
    if (catching_up) {
        const core::cursor before = std::exchange(catching_up->position, batch.position_from(catching_up->position));
        further = catching_up->position != before;
    }
    if (further && (!batch.transaction_goes_on || batch.changes.back().xid != to.open)) {
        to.open = 0;
    }
    if (!catching_up) {
        for (const auto& each : work.matches) {
            pending_bytes_ -= each.what->text->size();
        }
        out.cursor = work.published->cursor;
        out.kept.push_back(std::move(work.published));
        return;
    }
    if (work.worded) {
        out.kept.push_back(std::move(work.worded));
    }
    if (catching_up->reading) { // which waits for this page to be taken
        catching_up->reading->next([this, number = work.group](auto page) { page_read(number, std::move(page)); });
    }
}

} // namespace rowcast::hub
