#include "postgres/follower.hpp"

#include "postgres/wal.hpp"

#include <poll.h>

#include <algorithm>
#include <utility>

namespace rowcast::postgres {
namespace {

const std::string bell_channel = "rowcast";
// Then it is tried again: writers may wait for the disk by now.
constexpr std::chrono::seconds nobody_flushes_for{10};

core::snapshot read_head(connection& on, const observe::sink& sink)
{
    const rows now =
        on.execute("select pg_current_snapshot(), pg_current_wal_insert_lsn(), pg_current_wal_flush_lsn()");
    auto head = core::snapshot::parse(now.text(0, 0));
    if (head.has_error()) {
        throw database_error(head.error().message, "", "");
    }
    // A head that a crash could take back would be a hole, exactly as a batch would.
    await_flush(on, parse_lsn(now.text(0, 1)), parse_lsn(now.text(0, 2)), sink);
    return std::move(*head);
}

std::string_view why_replaced(const log_identity& was, const log_identity& is)
{
    if (is.renewed) {
        return "log_renewed";
    }
    return was.log_id == is.log_id && was.timeline != is.timeline ? "fail_over" : "log_replaced";
}

connection_options for_the_key(connection_options of_the_reader)
{
    of_the_reader.purpose = "rowcast doorbell";
    of_the_reader.read_only = false;
    return of_the_reader;
}

std::size_t count_transactions(const core::batch& page, core::transaction_id& last)
{
    std::size_t sum = 0;
    for (const core::change& each : page.changes) {
        sum += std::exchange(last, each.xid) != each.xid;
    }
    return sum;
}

std::size_t bytes_of(const core::batch& page)
{
    std::size_t sum = 0;
    for (const core::change& each : page.changes) {
        sum += each.after.json().size() + each.before.json().size() + each.payload.size();
    }
    return sum;
}

} // namespace

follower::follower(follower_options options, follower_callbacks callbacks, observe::sink sink)
    : options_(std::move(options))
    , callbacks_(std::move(callbacks))
    , sink_(std::move(sink))
    , bell_(options_.poll_interval, options_.busy)
    , key_(for_the_key(options_.connection), sink_, [this] { wake_.set(); })
    , thread_([this] { run(); })
{
}

follower::~follower()
{
    stop();
}

void follower::stop()
{
    stop_.set();
    if (thread_.joinable()) {
        thread_.join();
    }
}

void follower::wake()
{
    asked_ = true;
    wake_.set();
}

follower::status follower::now() const
{
    const std::lock_guard lock(mutex_);
    return status_;
}

void follower::run()
{
    std::uniform_real_distribution<double> chance(0, 1);
    while (life_.current() != life::action::end) {
        const life::event happened = act(life_.current());
        life_.next(happened, chance(random_));
        if (happened == life::event::failed) {
            failed(problem_);
        }
    }
    key_.stop();
    connection_.reset();
    const std::lock_guard lock(mutex_);
    status_.connected = false;
    status_.problem = "stopped";
}

follower::life::event follower::act(life::action action)
{
    if (stop_.is_set()) {
        return life::event::stopped;
    }
    try {
        switch (action) {
        case life::action::connect:
            connect();
            break;
        case life::action::prepare:
            prepare();
            break;
        case life::action::read:
            read();
            break;
        case life::action::wait:
            wait();
            break;
        case life::action::back_off:
            back_off();
            break;
        case life::action::end:
            break;
        }
        return life::event::done;
    } catch (const interrupted&) {
        return life::event::stopped;
    } catch (const std::exception& error) {
        problem_ = error.what();
        return life::event::failed;
    }
}

void follower::connect()
{
    connection_.reset();
    connection_.emplace(options_.connection, &stop_);
}

// LISTEN first, read second: what is committed between the two rings.
void follower::prepare()
{
    const log_identity identity = claim_identity(*connection_);
    connection_->listen(bell_channel);
    for (const std::string& channel : options_.notify_channels) {
        if (channel != bell_channel) {
            connection_->listen(channel);
        }
    }
    prepare_log_statement(*connection_);
    if (connection_->pooled()) {
        sink_(observe::background_failed{"LISTEN",
                                         "a connection pooler stands between the bridge and " + connection_->place() +
                                             ": with transaction pooling no bell is heard; connect directly"});
    }
    if (identity.renewed) {
        sink_(observe::log_renewed{"the database is a copy or was restored"});
    }
    if (!identity_ || !identity_->same_log(identity)) {
        establish(identity_ ? why_replaced(*identity_, identity) : "", identity);
    }
    bell_.connected(doorbell::clock::now());
    tend_bell();
    sink_(observe::database_connected{connection_->server_version_text(), identity.log_id, identity.timeline});
}

// An empty reason: for the first time.
void follower::establish(std::string_view reason, const log_identity& identity)
{
    const core::snapshot head = reason.empty() ? first_head() : read_head(*connection_, sink_);
    if (reason.empty()) {
        callbacks_.started(identity, head);
    } else {
        callbacks_.replaced(reason, identity, head);
    }
    identity_ = identity;
    position_ = {head, std::nullopt};
}

// The log may be another one under the same connection: dropped and restored in one transaction, for instance.
void follower::begin_anew(core::error_code why)
{
    const log_identity identity = claim_identity(*connection_);
    if (!identity_->same_log(identity)) {
        establish(why_replaced(*identity_, identity), identity);
    } else {
        establish(why == core::error_code::cursor_expired ? "cursor_expired" : "log_replaced", identity);
    }
}

core::snapshot follower::first_head()
{
    auto past = callbacks_.recent ? read_recent_past(*connection_, sink_) : std::nullopt;
    if (!past) {
        return read_head(*connection_, sink_);
    }
    core::snapshot head = past->pages.back()->after;
    callbacks_.recent(std::move(*past));
    return head;
}

void follower::read()
{
    const auto since = doorbell::clock::now();
    // A position inside a step is left behind by a lost connection: first its rest, then what has come since.
    const step_summary rest = position_.inside ? read_step() : step_summary();
    const step_summary latest = read_step();
    const std::size_t transactions = rest.transactions + latest.transactions;
    const auto now = doorbell::clock::now();
    bell_.read({now, std::chrono::duration_cast<std::chrono::microseconds>(now - since), transactions, position_.seen,
                std::max(rest.waited, latest.waited), callbacks_.handing_out ? callbacks_.handing_out() : std::chrono::microseconds(0)});
    if (transactions > 0 && bell_.rings()) {
        key_.ring();
    }
    tend_bell();
    {
        const std::lock_guard lock(mutex_);
        status_ = {true, "", now, bell_.current(), position_.seen.xmin};
    }
    if (callbacks_.read_to_end) {
        callbacks_.read_to_end();
    }
}

follower::step_summary follower::read_step()
{
    const auto since = std::chrono::steady_clock::now();
    page_limits limits = options_.pages;
    if (since < flushes_until_) {
        limits.flush_patience = std::chrono::microseconds(0);
    }
    log_step step(*connection_, everything_, sink_, position_, limits);
    core::transaction_id last = 0;
    step_summary found;
    for (;;) {
        auto page = step.next();
        if (page.has_error()) {
            begin_anew(page.error().code);
            return found;
        }
        if (!*page) {
            return found;
        }
        if ((*page)->complete && (*page)->changes.empty() && (*page)->before == (*page)->after) {
            return found; // nothing at all has happened
        }
        if (step.forced_flush() && since >= flushes_until_) {
            flushes_until_ = since + nobody_flushes_for;
        }
        callbacks_.batch(*page);
        position_ = step.position();
        found.waited = step.waited();
        found.transactions += count_transactions(**page, last);
        if (!(*page)->changes.empty()) {
            const auto took = std::chrono::steady_clock::now() - since;
            sink_(observe::batch_read{(*page)->changes.size(), bytes_of(**page),
                                      std::chrono::duration_cast<std::chrono::microseconds>(took)});
        }
        if (stop_.is_set()) {
            throw interrupted();
        }
    }
}

void follower::wait()
{
    for (;;) {
        pass_on_messages();
        tend_bell();
        const auto now = doorbell::clock::now();
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(bell_.next_read() - now);
        // The bell may have rung while we read: then its notification has been taken already.
        if (asked_.exchange(false) || (rung_ && bell_.heeds_bell()) || left.count() <= 0) {
            break;
        }
        connection_->wait(left, wake_);
    }
    rung_ = false; // the read that follows answers it
}

// What the doorbell wants done, and what has come of it.
void follower::tend_bell()
{
    using what = doorbell_key::outcome::what;
    for (const doorbell_key::outcome& each : key_.outcomes()) {
        switch (each.happened) {
        case what::taken:
        case what::not_taken:
            bell_.took(each.happened == what::taken, doorbell::clock::now());
            break;
        case what::released:
            bell_.released();
            break;
        case what::lost:
            suspects_.push_back(each.backend);
            bell_.key_lost();
            break;
        }
    }
    while (const auto wanted = bell_.next(doorbell::clock::now())) {
        switch (*wanted) {
        case doorbell::action::take:
            key_.take();
            break;
        case doorbell::action::release:
            key_.release();
            break;
        case doorbell::action::mark:
            mark();
            break;
        }
    }
    if (bell_.current() != told_bell_) {
        told_bell_ = bell_.current();
        sink_(observe::doorbell_changed{to_string(told_bell_)});
    }
}

// A session whose connection was lost half-open would keep the writers quiet until the server notices.
void follower::mark()
{
    for (const int backend : suspects_) {
        const rows holding = connection_->execute(
            "select pg_terminate_backend(l.pid) from " + key_holder + " where l.pid = $1::int",
            {std::to_string(backend)});
        if (!holding.empty()) {
            bell_.marked(std::nullopt);
            return;
        }
    }
    suspects_.clear();
    const rows drawn = connection_->execute("select pg_current_xact_id()");
    bell_.marked(drawn.number(0, 0));
}

void follower::pass_on_messages()
{
    for (const notification& each : connection_->take_notifications()) {
        if (each.channel == bell_channel) {
            rung_ = true;
        }
        const auto& channels = options_.notify_channels;
        if (std::find(channels.begin(), channels.end(), each.channel) != channels.end()) {
            callbacks_.message(each);
        }
    }
}

void follower::back_off()
{
    pollfd look{stop_.descriptor(), POLLIN, 0};
    ::poll(&look, 1, static_cast<int>(life_.delay().count()));
}

void follower::failed(const std::string& reason)
{
    connection_.reset();
    bell_.disconnected();
    tend_bell();
    {
        const std::lock_guard lock(mutex_);
        status_.connected = false;
        status_.problem = reason;
        status_.bell = bell_.current();
    }
    sink_(observe::database_lost{reason, life_.delay()});
}

} // namespace rowcast::postgres
