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
    out.events.push_back({{sub}, text});
}

void keep(changes& out, std::shared_ptr<const void> what)
{
    if (out.kept.empty() || out.kept.back() != what) {
        out.kept.push_back(std::move(what));
    }
}

// A cursor that is nobody else's.
void seal(changes& out, const stream& at)
{
    const auto cursor = std::make_shared<const std::string>(at.codec->seal(at.position));
    out.cursor = *cursor;
    keep(out, cursor);
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
    settle();
    for (;;) {
        while (!items_.empty()) {
            item& front = items_.front();
            if (auto* said = std::get_if<output>(&front)) {
                output out = std::move(*said);
                items_.pop_front();
                return out;
            }
            if (const auto* joined = std::get_if<join>(&front)) {
                const std::uint64_t number = joined->group;
                items_.pop_front();
                if (auto last = let_join(number)) {
                    return last;
                }
                continue;
            }
            if (const auto* again = std::get_if<attach_again>(&front)) {
                const std::uint64_t number = again->group;
                items_.pop_front();
                if (const auto found = groups_.find(number); found != groups_.end()) {
                    found->second.after = found->second.codec->seal(found->second.position);
                    attach(number);
                }
                continue;
            }
            if (const auto* more = std::get_if<read_on>(&front)) {
                const std::uint64_t number = more->group;
                items_.pop_front();
                if (const auto found = groups_.find(number); found != groups_.end() && found->second.rows) {
                    ask_for_rows(number);
                }
                continue;
            }
            if (auto out = hand_out(most)) {
                return out;
            }
        }
        start_waiting_groups();
        if (items_.empty()) {
            return std::nullopt;
        }
    }
}

// The group is at one with the live stream. Its client must know, also where no event ever names the subscription: else
// its cursor would stay behind and expire while the others' moves on.
std::optional<output> feed::state::let_join(std::uint64_t number)
{
    const auto found = groups_.find(number);
    if (found == groups_.end()) {
        return std::nullopt;
    }
    const std::vector<std::size_t> who = members(number);
    std::optional<output> last;
    if (found->second.named && !found->second.announced_as_live && !who.empty()) {
        changes told;
        told.id = subscriptions_.at(who.front()).id;
        seal(told, found->second);
        told.live = true;
        last = std::move(told);
    }
    for (const std::size_t member : who) {
        subscriptions_.at(member).group = 0;
        subscriptions_.at(member).start.reset();
    }
    groups_.erase(found);
    return last;
}

// Pages of one stream that stand in the queue one behind the other, in one frame as far as it reaches.
std::optional<output> feed::state::hand_out(const portion& most)
{
    changes out;
    std::size_t bytes = 0;
    const std::uint64_t number = std::get<page_work>(items_.front()).group;
    stream* const from = stream_of(std::get<page_work>(items_.front()));
    if (!from) {
        items_.pop_front();
        return std::nullopt;
    }
    if (number != 0 && groups_.at(number).named) {
        out.id = subscriptions_.at(members(number).front()).id;
    }
    const bool was_open = from->told_more;
    out.replayed = number != 0;

    while (!items_.empty()) {
        auto* work = std::get_if<page_work>(&items_.front());
        if (!work || work->group != number) {
            break;
        }
        if (work->published) {
            from->codec = work->published->codec;
        }
        change_entries last;
        for (;; work->pass()) {
            while (work->next == work->matches.size() && !work->matched) {
                match(*work, from->position, std::min(most.bytes, chunk));
            }
            if (work->next == work->matches.size()) {
                break;
            }
            const page_work::match& found = work->matches[work->next];
            const auto member = subscriptions_.find(found.subscription);
            if (member == subscriptions_.end() || member->second.stopped) {
                continue;
            }
            const bool ends = found.what->what == event::kind::resync;
            if (ends && out.events.empty()) {
                hub::resync told{member->second.id, *found.what->text};
                work->pass();
                detach(member->second);
                member->second.stopped = true;
                const std::uint64_t left = std::exchange(member->second.group, 0);
                drop_if_empty(left);
                return told;
            }
            const bool full = out.events.size() >= most.events || bytes >= most.bytes;
            if (ends || (full && found.ordinal != last.ordinal)) {
                cut(out, *work, *from);
                return out;
            }
            append(out, last, found.ordinal, member->second.id, *found.what->text);
            if (const auto& logged = work->batch().logged; logged && (!out.logged || *logged < *out.logged)) {
                out.logged = logged;
            }
            bytes += found.what->text->size();
            from->open = work->change(found).xid;
            keep(out, work->texts());
        }
        finish_page(out, *work, *from);
        items_.pop_front();
    }
    out.more = from->open != 0;
    if (out.events.empty() && !(was_open && !out.more)) {
        return std::nullopt;
    }
    from->told_more = out.more;
    if (number == 0) {
        last_cursor_ = hash(out.cursor);
    }
    return out;
}

// The next changes of a page, as far as about `bytes` of events: those who catch up have their own texts, and may be many.
void feed::state::match(page_work& work, const core::cursor& position, std::size_t bytes) const
{
    std::size_t sum = 0;
    auto events = std::make_shared<std::vector<std::pair<std::size_t, event>>>();
    const std::vector<std::size_t> who = members(work.group);
    const auto ended = std::make_shared<const std::string>(permissions_changed);
    for (; work.looked_at < work.batch().changes.size() && sum < bytes; ++work.looked_at) {
        const std::uint32_t i = work.looked_at;
        const core::change& change = work.batch().changes[i];
        if (position.covers(change.xid, change.where)) {
            continue;
        }
        for (const std::size_t member : who) {
            const subscription& each = subscriptions_.at(member);
            if (each.start && each.start->covers(change.xid, change.where)) {
                continue;
            }
            auto seen = ends_at(each.view, change) ? std::optional(event{i, change.op, event::kind::resync, ended})
                                                   : see(each.view, change, i, home_.write_);
            if (seen && each.wants(*seen)) {
                sum += seen->text->size();
                events->emplace_back(member, std::move(*seen));
            }
        }
    }
    work.matches.clear();
    work.next = 0;
    for (const auto& [member, what] : *events) {
        work.matches.push_back({what.ordinal, member, &what});
    }
    std::stable_sort(work.matches.begin(), work.matches.end());
    work.worded = std::move(events);
    work.matched = work.looked_at == work.batch().changes.size();
}

// Ends a frame inside a page, behind the last change that it holds.
void feed::state::cut(changes& out, const page_work& work, stream& from) const
{
    const core::change& following = work.change(work.matches[work.next]);
    if (work.passed) { // else the frame ends with the page before, whose cursor it has
        const core::snapshot& seen = work.group == 0 ? work.batch().before : from.position.seen;
        from.position = {seen, core::cursor::progress{work.batch().after, *work.passed}};
        seal(out, from);
    }
    out.more = from.open == following.xid;
    if (!out.more) {
        from.open = 0;
    }
    from.told_more = out.more;
}

void feed::state::finish_page(changes& out, page_work& work, stream& from)
{
    const core::batch& batch = work.batch();
    const core::cursor before = std::exchange(from.position, work.group == 0 ? batch.position() : batch.position_from(from.position));
    // A page that the client has had already (another reading starts earlier than its position) says nothing about what is open.
    const bool further = work.group == 0 || from.position != before;
    if (further && (!batch.transaction_goes_on || batch.changes.back().xid != from.open)) {
        from.open = 0;
    }
    if (work.published) {
        out.cursor = work.published->cursor;
        keep(out, work.published);
    } else {
        seal(out, from);
    }
    if (work.group == 0) {
        for (const auto& each : work.matches) {
            pending_bytes_ -= each.what->text->size();
        }
    } else if (work.ask_for_next) {
        if (const auto found = groups_.find(work.group); found != groups_.end() && found->second.reading) {
            found->second.reading->next([this, number = work.group](auto page) { page_read(number, std::move(page)); });
        }
    }
}

stream* feed::state::stream_of(const page_work& work)
{
    if (work.group == 0) {
        return &live_;
    }
    const auto found = groups_.find(work.group);
    return found == groups_.end() ? nullptr : &found->second;
}

} // namespace rowcast::hub
