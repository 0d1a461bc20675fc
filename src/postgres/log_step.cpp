#include "postgres/log_step.hpp"

#include <utility>

namespace rowcast::postgres {
namespace {

const std::string prepared = "rowcast_log";
constexpr std::size_t rows_a_fetch = 1000;

core::failure lost(core::error_code why)
{
    return {why, std::string(core::describe(why).sentence)};
}

// Such a pooler loses LISTEN silently.
void check_session(const connection& on, const log_moment& moment)
{
    if (moment.backend != on.backend()) {
        throw database_error("the connection to " + on.place() +
                                 " goes through a pooler that changes the server session under it "
                                 "(transaction pooling)",
                             "", "Give the bridge a direct connection.");
    }
}

} // namespace

void prepare_log_statement(connection& on)
{
    on.run_script(log_statement_settings);
    on.prepare(prepared, log_statement);
}

log_step::log_step(connection& on, const log_filter& filter, const observe::sink& sink, core::cursor from,
                   page_limits limits)
    : on_(on)
    , filter_(filter)
    , sink_(sink)
    , limits_(limits)
    , position_(std::move(from))
    , before_(position_.seen)
{
    if (position_.inside) {
        target_ = position_.inside->target;
        last_ = position_.inside->last;
    }
}

core::result<core::batch_ptr> log_step::next()
{
    switch (state_) {
    case state::new_:
        return first_page();
    case state::through_portal:
        return further_page();
    case state::done:
        break;
    }
    return core::batch_ptr();
}

core::result<core::batch_ptr> log_step::first_page()
{
    const bool to_now = !position_.inside;
    const bool look_only = to_now && limits_.expects_many;
    on_.begin_prepared(prepared, log_parameters(position_, filter_, look_only ? 0 : limits_.changes + 1));
    const auto first = on_.next_row();
    if (!first) {
        throw database_error("rowcast.settings is empty in " + on_.place(), "", "Run `rowcast install`.");
    }
    const log_moment moment = read_moment(*first);
    check_session(on_, moment);
    // Snapshots of one primary only grow, and what a crash could take back was never in a cursor.
    const bool is_set_back = !moment.now.includes(to_now ? before_ : target_);
    if (moment.lost || is_set_back) {
        on_.skip_rows();
        state_ = state::done;
        return lost(moment.lost.value_or(core::error_code::cursor_foreign));
    }
    if (to_now) {
        target_ = moment.now;
    }
    if (look_only && target_ != before_) {
        on_.skip_rows();
        forced_flush_ = await_flush(on_, moment.written, moment.flushed, sink_, limits_.flush_patience);
        position_.inside = core::cursor::progress{target_, {}};
        return further_page();
    }
    auto page = fill();
    if (page->logged) {
        waited_ = std::chrono::duration_cast<std::chrono::microseconds>(moment.clock - *page->logged);
    }
    if (!page->complete) {
        on_.skip_rows(); // what does not fit comes again, through the portal
        forget_ahead();
    }
    if (to_now && !(page->changes.empty() && target_ == before_)) {
        forced_flush_ = await_flush(on_, moment.written, moment.flushed, sink_, limits_.flush_patience);
    }
    return page;
}

core::result<core::batch_ptr> log_step::further_page()
{
    const auto held = std::chrono::steady_clock::now() - portal_since_;
    if (portal_ && held > limits_.portal_held) {
        suspend();
    }
    if (!portal_) {
        if (auto opened = open_portal(); opened.has_error()) {
            state_ = state::done;
            return opened.error();
        }
    }
    return fill();
}

core::result<void> log_step::open_portal()
{
    on_.run_script("begin read only; set local statement_timeout = 0"); // the reader's slowness is not the server's
    on_.execute("declare rowcast_log no scroll cursor for " + log_statement,
                log_parameters(position_, filter_, std::nullopt));
    portal_ = true;
    portal_since_ = std::chrono::steady_clock::now();
    const rows first = on_.execute("fetch 1 from rowcast_log");
    const auto problem = first.empty() ? core::error_code::cursor_foreign : read_moment(first).lost;
    if (problem) {
        suspend();
        return lost(*problem);
    }
    return {};
}

void log_step::suspend()
{
    if (!portal_) {
        return;
    }
    on_.skip_rows();
    on_.run_script("commit");
    portal_ = fetching_ = false;
    forget_ahead();
}

void log_step::forget_ahead()
{
    ahead_.reset();
    last_ = position_.inside ? position_.inside->last : core::place{};
}

// A page is closed by the change that does not fit into it any more, or by the end.
core::batch_ptr log_step::fill()
{
    auto page = std::make_shared<core::batch>();
    page->before = before_;
    page->after = target_;
    std::size_t bytes = 0;
    while (auto change = next_change()) {
        const std::size_t size = change->memory();
        if (page->changes.size() == limits_.changes || (!page->changes.empty() && bytes + size > limits_.bytes)) {
            page->complete = false;
            page->transaction_goes_on = change->xid == page->changes.back().xid;
            ahead_ = std::move(change);
            break;
        }
        bytes += size;
        page->changes.push_back(std::move(*change));
    }
    page->date();
    position_ = page->position();
    if (page->complete) {
        suspend();
        state_ = state::done;
    } else {
        state_ = state::through_portal;
    }
    return page;
}

std::optional<core::change> log_step::next_change()
{
    if (ahead_) {
        return std::exchange(ahead_, std::nullopt);
    }
    const auto row = next_row();
    if (!row) {
        return std::nullopt;
    }
    core::change change = read_change(*row, sink_);
    if (change.where <= last_ || !target_.sees(change.xid) || before_.sees(change.xid)) {
        throw database_error("the change log came out of order (change " + std::to_string(change.where.id) + ")", "",
                             "");
    }
    last_ = change.where;
    return change;
}

std::optional<rows> log_step::next_row()
{
    if (!portal_) {
        return on_.next_row();
    }
    for (;;) {
        if (!fetching_) {
            on_.begin("fetch " + std::to_string(rows_a_fetch) + " from rowcast_log");
            fetching_ = true;
            fetched_ = 0;
        }
        if (auto row = on_.next_row()) {
            ++fetched_;
            return row;
        }
        fetching_ = false;
        if (fetched_ < rows_a_fetch) {
            return std::nullopt;
        }
    }
}

} // namespace rowcast::postgres
