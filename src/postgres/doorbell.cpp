#include "postgres/doorbell.hpp"

#include <algorithm>
#include <utility>

namespace rowcast::postgres {
namespace {

using std::chrono::milliseconds;

// Latency against PostgreSQL's time: a read costs it some 0.3 ms. Where reads take long, they get a third of the time. So does handing out to many: a
// message costs the kernel the same for one event and for all that have gathered.
constexpr milliseconds quiet_pace{5};
constexpr int rest_after_work = 2;
constexpr milliseconds most_rest_to_gather{20};

// A follow-up may last as long as somebody's forgotten transaction.
constexpr milliseconds first_pace{5};
constexpr milliseconds slowest_pace{200};

// A try fails when a writer looks at the key in the same microsecond, or when another bridge has it.
constexpr milliseconds first_between_tries{5};
constexpr milliseconds most_between_tries{1000};
constexpr milliseconds taking_pace{100};

// A transaction is young for one to two times as long.
constexpr milliseconds mark_age{1000};

} // namespace

doorbell::doorbell(milliseconds poll_interval, thresholds busy)
    : poll_interval_(poll_interval)
    , busy_(busy)
{
}

doorbell::state doorbell::current() const
{
    switch (phase_) {
    case phase::sleeping:
        return state::sleeping;
    case phase::taking:
        return state::taking;
    case phase::quiet:
        return state::quiet;
    case phase::releasing:
    case phase::unmarked:
    case phase::marked:
        break;
    }
    return state::letting_go;
}

void doorbell::connected(time now)
{
    connected_ = true;
    window_ = {now};
    marked_at_ = {};
    young_ = next_young_ = 0; // those of another server mean nothing
    last_read_ = now;
    if (phase_ != phase::releasing) {
        follow_up();
    }
}

// Nobody reads: the writers must ring for other bridges.
void doorbell::disconnected()
{
    connected_ = false;
    const bool may_hold = phase_ == phase::quiet || (phase_ == phase::taking && !next_try_);
    if (may_hold) {
        phase_ = phase::releasing;
        due_ = action::release;
    } else if (phase_ != phase::releasing) {
        follow_up();
    }
}

void doorbell::follow_up()
{
    phase_ = phase::unmarked;
    due_ = action::mark;
    until_.reset();
    pace_ = first_pace;
}

void doorbell::released()
{
    if (phase_ == phase::releasing) {
        follow_up();
    }
}

void doorbell::key_lost()
{
    if (phase_ == phase::releasing || phase_ == phase::quiet || phase_ == phase::taking) {
        follow_up();
    }
}

void doorbell::marked(std::optional<core::transaction_id> drawn)
{
    if (phase_ != phase::unmarked) {
        return;
    }
    if (drawn) {
        phase_ = phase::marked;
        until_ = drawn;
    }
}

void doorbell::took(bool have_key, time now)
{
    if (phase_ != phase::taking) {
        if (have_key && phase_ != phase::releasing) {
            phase_ = phase::releasing;
            due_ = action::release;
        }
        return;
    }
    if (have_key) {
        phase_ = phase::quiet;
        kept_quiet_ = true;
        until_.reset();
        calm_for_ = milliseconds(0);
        return;
    }
    next_try_ = now + between_tries_;
    between_tries_ = std::min(2 * between_tries_, most_between_tries);
}

std::optional<doorbell::action> doorbell::next(time now)
{
    if (phase_ == phase::taking && next_try_ && now >= *next_try_) {
        next_try_.reset();
        return action::take;
    }
    if (!due_ || (*due_ == action::mark && !connected_)) {
        return std::nullopt;
    }
    return std::exchange(due_, std::nullopt);
}

void doorbell::read(const reading& found)
{
    last_read_ = found.at;
    rest_ = std::max<std::chrono::microseconds>(rest_after_work * found.took,
                                                std::min<std::chrono::microseconds>({rest_after_work * found.handed_out, most_rest_to_gather, poll_interval_}));
    if (phase_ == phase::unmarked) {
        due_ = action::mark; // once more, where the last did not go
    }
    if (until_ && found.seen.xmin > *until_) {
        until_.reset();
        kept_quiet_ = false;
        if (phase_ == phase::marked) {
            phase_ = phase::sleeping;
        }
    }
    pace_ = found.transactions > 0 ? first_pace : std::min(pace_ * 3 / 2, slowest_pace);
    if (const auto seen = measure(found)) {
        weigh(*seen, found.at);
    }
}

// Those that a snapshot lists; a session that forgot to commit does not count.
std::size_t doorbell::crowd_in(const core::snapshot& seen, time now)
{
    if (now - marked_at_ >= mark_age) {
        marked_at_ = now;
        young_ = std::exchange(next_young_, seen.xmax);
    }
    const auto& open = seen.in_progress;
    return static_cast<std::size_t>(open.end() - std::lower_bound(open.begin(), open.end(), young_));
}

std::optional<doorbell::load> doorbell::measure(const reading& found)
{
    ++window_.reads;
    window_.transactions += found.transactions;
    window_.crowd += crowd_in(found.seen, found.at);
    window_.waited += found.transactions * std::clamp<std::chrono::microseconds>(found.waited, milliseconds(0), busy_.window);
    const auto over = std::chrono::duration_cast<milliseconds>(found.at - window_.since);
    if (over < busy_.window) {
        return std::nullopt;
    }
    const double rate = 1000.0 * static_cast<double>(window_.transactions) / static_cast<double>(over.count());
    double crowd = static_cast<double>(window_.crowd) / static_cast<double>(window_.reads);
    if (heeds_bell()) {
        // Writers that queue for NOTIFY commit in the order of their ids, and a snapshot ends with the newest that is finished: it lists none of them. But how
        // many are in a queue is how many leave it in a time, times how long each was in it (Little, "A proof for the queuing formula L = lambda W").
        crowd = std::max(crowd, std::chrono::duration<double>(window_.waited) / std::chrono::duration<double>(over));
    }
    window_ = {found.at};
    return load{rate >= busy_.transactions || (rate >= busy_.crowded_transactions && crowd >= busy_.crowd),
                rate < busy_.transactions / 2 && (rate < busy_.crowded_transactions / 2 || crowd < busy_.crowd / 4), over};
}

void doorbell::weigh(const load& seen, time now)
{
    switch (phase_) {
    case phase::sleeping:
    case phase::marked:
        if (seen.busy) {
            phase_ = phase::taking;
            next_try_ = now;
            between_tries_ = first_between_tries;
        }
        break;
    case phase::taking:
        if (seen.calm) {
            give_up();
        }
        break;
    case phase::quiet:
        calm_for_ = seen.calm ? calm_for_ + seen.over : milliseconds(0);
        if (calm_for_ >= busy_.calm_for) {
            phase_ = phase::releasing;
            due_ = action::release;
        }
        break;
    case phase::releasing:
    case phase::unmarked:
        break;
    }
}

void doorbell::give_up()
{
    if (!next_try_) {
        phase_ = phase::releasing; // the try under way may succeed
        due_ = action::release;
    } else {
        phase_ = until_ ? phase::marked : phase::sleeping;
    }
}

doorbell::time doorbell::next_read() const
{
    switch (phase_) {
    case phase::sleeping:
        return last_read_ + poll_interval_;
    case phase::taking:
        return last_read_ + std::min({taking_pace, poll_interval_, std::max(between_tries_, first_between_tries)});
    case phase::quiet:
        return last_read_ + std::max<std::chrono::microseconds>(quiet_pace, rest_);
    case phase::releasing:
    case phase::unmarked:
    case phase::marked:
        break;
    }
    return last_read_ + std::min(pace_, poll_interval_);
}

std::string_view to_string(doorbell::state what)
{
    switch (what) {
    case doorbell::state::sleeping:
        return "sleeping";
    case doorbell::state::taking:
        return "taking";
    case doorbell::state::quiet:
        return "quiet";
    case doorbell::state::letting_go:
        break;
    }
    return "letting_go";
}

} // namespace rowcast::postgres
