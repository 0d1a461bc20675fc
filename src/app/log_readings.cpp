#include "app/log_readings.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "app/log_pass.hpp"

namespace rowcast::app {
namespace {

using namespace std::chrono_literals;
using core::error_code;

// A session that is slow holds a page while it sends it, and there may be many of those.
constexpr postgres::page_limits pages{.changes = 1000, .bytes = 128 * 1024};

// How long a pass waits for the next wish of whoever is to get the page: alone and with nobody in line, and else, as
// long as wishes come at all. Leaving a pass costs another pass's first statement, no more.
constexpr auto patience = 2s;
constexpr auto patience_with_others = 50ms;
constexpr auto longest_patience = 5s; // with all of them together, a page
// How long a pass goes on while others wait.
constexpr auto turn = 5s;
constexpr auto retry_delay = 500ms;

// Between the beginnings of two passes: those who come meanwhile share one. In a storm it pays to wait for more.
constexpr auto pause = 50ms;
constexpr auto pause_in_storm = 500ms;
constexpr std::size_t storm = 20;

// Who is a little behind does not wait for a pass from far back: 4, 16, 64 ... transactions.
int age(core::transaction_id newest, const core::cursor& position)
{
    return static_cast<int>(std::bit_width(newest - std::min(newest, position.seen.xmax))) / 2;
}

} // namespace

// One reading, shared by its client's handle and the thread that serves it; the mutex of log_readings guards what is
// not constant.
struct log_readings::reading : std::enable_shared_from_this<reading> {
    std::vector<hub::view_spec> views;
    std::shared_ptr<const postgres::log_identity> identity; // null: of a log that is gone
    post_back post;
    core::cursor position; // after the last page that was read for it
    pass* in = nullptr;    // the pass that serves it
    bool wanted = false;   // the client waits for a page
    bool awaited = false;  // the pass waits for the client to want one
    bool goes_on = false;  // the last page that it got ends inside a transaction that concerns it: it must see how that ends
    bool abandoned = false;
    hub::log_reading::handler handler; // of the client's thread alone
};

struct log_readings::pass {
    std::vector<reading_ptr> members; // null: has left
    std::size_t awaited = 0;          // how many wishes are missing
    std::unique_ptr<audience> who;
    std::shared_ptr<const postgres::log_identity> identity;
    core::batch_ptr last; // the newest page of the step under way, which members that got nothing have passed too

    bool empty() const
    {
        return std::none_of(members.begin(), members.end(), [](const reading_ptr& each) { return each && !each->abandoned; });
    }
    core::cursor position(const reading& of) const { return last ? last->position_from(of.position) : of.position; }
};

class log_readings::handle final : public hub::log_reading {
public:
    handle(log_readings& owner, reading_ptr what) : owner_(owner), what_(std::move(what)) {}
    ~handle() override
    {
        what_->handler = nullptr;
        const std::lock_guard held(owner_.mutex_);
        what_->abandoned = true;
        be_awaited_no_more();
    }

    void next(handler done) override
    {
        what_->handler = std::move(done);
        const std::lock_guard held(owner_.mutex_);
        what_->wanted = true;
        if (!what_->identity) {
            owner_.answer(*what_, core::failure{error_code::cursor_foreign, std::string(core::describe(error_code::cursor_foreign).sentence)});
            return;
        }
        if (!what_->in) {
            owner_.waiting_.push_back(what_);
            owner_.changed_.notify_all();
        }
        be_awaited_no_more();
    }

private:
    void be_awaited_no_more()
    {
        if (std::exchange(what_->awaited, false) && --what_->in->awaited == 0) {
            owner_.changed_.notify_all();
        }
    }

    log_readings& owner_;
    reading_ptr what_;
};

log_readings::log_readings(postgres::connection_options connect_with, unsigned threads, observe::sink tell)
    : connect_with_(std::move(connect_with)), tell_(std::move(tell))
{
    for (unsigned i = 0; i < threads; ++i) {
        threads_.emplace_back([this] { run(); });
    }
}

log_readings::~log_readings()
{
    stop();
}

void log_readings::stop()
{
    {
        const std::lock_guard held(mutex_);
        stopped_ = true;
        stop_.set();
        changed_.notify_all();
    }
    for (std::thread& each : std::exchange(threads_, {})) {
        each.join();
    }
}

void log_readings::expect(const postgres::log_identity& identity, std::shared_ptr<const core::cursor_codec> codec)
{
    const std::lock_guard held(mutex_);
    codec_ = std::move(codec);
    identity_ = std::make_shared<const postgres::log_identity>(identity);
    newest_ = 0;
}

std::unique_ptr<hub::log_reading> log_readings::begin(core::cursor from, const std::shared_ptr<const core::cursor_codec>& of,
                                                      const std::vector<hub::view_spec>& views, post_back post)
{
    auto made = std::make_shared<reading>();
    made->views = views;
    made->post = std::move(post);
    made->position = std::move(from);
    made->goes_on = made->position.inside.has_value(); // perhaps: the client may have a part of the transaction there
    {
        const std::lock_guard held(mutex_);
        made->identity = of == codec_ ? identity_ : nullptr;
        newest_ = std::max(newest_, made->position.seen.xmax);
    }
    return std::make_unique<handle>(*this, std::move(made));
}

void log_readings::run()
{
    postgres::log_reader reader(connect_with_, tell_, &stop_, pages);
    lock held(mutex_);
    for (;;) {
        changed_.wait(held, [&] { return stopped_ || !waiting_.empty(); });
        if (!stopped_ && clock::now() < next_pass_) {
            changed_.wait_until(held, next_pass_, [&] { return stopped_; });
        }
        if (stopped_) {
            return;
        }
        const std::unique_ptr<pass> next = gather();
        if (next->members.empty()) {
            continue;
        }
        next_pass_ = clock::now() + (next->members.size() < storm ? pause : pause_in_storm);
        held.unlock();
        serve(reader, *next);
        reader.close();
        held.lock();
        for (std::size_t i = 0; i < next->members.size(); ++i) {
            leave(*next, i);
        }
    }
}

// The one that has waited longest, and everybody who can be served with it.
std::unique_ptr<log_readings::pass> log_readings::gather()
{
    auto made = std::make_unique<pass>();
    std::erase_if(waiting_, [](const reading_ptr& each) { return each->abandoned; });
    if (waiting_.empty()) {
        return made;
    }
    const reading_ptr first = waiting_.front();
    const auto fits = [&](const reading& each) {
        return each.identity == first->identity && may_share_a_pass(each.position, first->position) &&
               (each.position.inside || age(newest_, each.position) == age(newest_, first->position));
    };
    std::vector<core::cursor> positions;
    for (const reading_ptr& each : waiting_) {
        if (fits(*each)) {
            positions.push_back(each->position);
        }
    }
    core::cursor start = common_start(positions);
    if (!is_behind(start, first->position)) {
        start = first->position; // a cursor that is none of this primary's
    }
    std::deque<reading_ptr> left;
    for (reading_ptr& each : waiting_) {
        if (fits(*each) && is_behind(start, each->position)) {
            each->in = made.get();
            made->members.push_back(std::move(each));
        } else {
            left.push_back(std::move(each));
        }
    }
    waiting_ = std::move(left);
    made->identity = first->identity;
    return made;
}

// From the oldest position of those who are left.
void log_readings::begin_pass(postgres::log_reader& reader, pass& of)
{
    std::vector<core::cursor> positions;
    of.who = std::make_unique<audience>();
    of.last = nullptr;
    {
        const std::lock_guard held(mutex_);
        for (std::size_t i = 0; i < of.members.size(); ++i) {
            if (of.members[i]) {
                positions.push_back(of.members[i]->position);
                of.who->add(i, of.members[i]->views);
            }
        }
    }
    tell_(observe::log_pass{positions.size()});
    reader.open(*of.identity, common_start(positions), of.who->filter());
}

// Reads one page ahead, waits for those to want it whom it concerns, hands it over: until the end, until nobody is
// left, or until others have waited long enough.
void log_readings::serve(postgres::log_reader& reader, pass& of)
{
    const auto began = clock::now();
    begin_pass(reader, of);
    for (;;) {
        const auto page = reader.next();
        lock held(mutex_);
        if (stopped_) {
            return;
        }
        if (page.has_error() && page.error().code == error_code::unavailable) {
            changed_.wait_for(held, retry_delay, [&] { return stopped_ || of.empty(); });
        } else if (page.has_error()) {
            if (!fail(held, of, page.error(), reader.expired_through())) {
                return;
            }
            held.unlock();
            begin_pass(reader, of);
            continue;
        } else if (!(*page ? give(held, of, *page) : end(held, of))) {
            return;
        }
        const bool enough = !waiting_.empty() && clock::now() - began > turn;
        if (stopped_ || enough || of.empty()) {
            return;
        }
    }
}

// Whether the pass goes on.
bool log_readings::give(lock& held, pass& of, const core::batch_ptr& page)
{
    using interest = audience::interest;
    const std::vector<interest> interests = of.who->interests(*page);
    std::vector<std::size_t> whose;
    for (std::size_t i = 0; i < of.members.size(); ++i) {
        const reading_ptr& each = of.members[i];
        if (!each || (interests[i] == interest::none && !each->goes_on)) {
            continue;
        }
        const core::cursor before = of.position(*each);
        if (page->position_from(before) != before) { // else it has had it
            whose.push_back(i);
        }
    }
    const auto shared = std::make_shared<const hub::chapter>(std::vector{page});
    await_wishes(held, of, whose);
    for (const std::size_t i : whose) {
        reading& each = *of.members[i];
        if (!each.wanted) {
            leave(of, i);
            continue;
        }
        const core::cursor before = of.position(each);
        each.position = page->position_from(before);
        each.goes_on = interests[i] == interest::goes_on || (each.goes_on && page->is_part_of_transaction());
        answer(each, hub::log_reading::page{shared, before});
    }
    of.last = page;
    if (page->complete) { // the next step is another order of places: everybody must be known to be at its beginning
        for (const reading_ptr& each : of.members) {
            if (each) {
                each->position = page->position_from(each->position);
            }
        }
        of.last = nullptr;
        newest_ = std::max(newest_, page->after.xmax);
    }
    return true;
}

bool log_readings::end(lock& held, pass& of)
{
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < of.members.size(); ++i) {
        if (of.members[i]) {
            all.push_back(i);
        }
    }
    await_wishes(held, of, all);
    const core::cursor_codec codec = of.identity->codec();
    std::pair<core::cursor, std::string> sealed; // mostly they all have the same
    for (const std::size_t i : all) {
        reading& each = *of.members[i];
        if (each.wanted) {
            if (sealed.second.empty() || sealed.first != each.position) {
                sealed = {each.position, codec.seal(each.position)};
            }
            answer(each, hub::log_reading::page{nullptr, each.position, sealed.second});
        }
    }
    return false;
}

// Those who are concerned are told, and the others go on.
bool log_readings::fail(lock& held, pass& of, const core::failure& why, std::optional<core::transaction_id> expired_through)
{
    std::vector<std::size_t> whose;
    for (std::size_t i = 0; i < of.members.size(); ++i) {
        const bool concerned = of.members[i] && (!expired_through || of.members[i]->position.seen.xmin <= *expired_through);
        if (concerned) {
            whose.push_back(i);
        }
    }
    await_wishes(held, of, whose);
    for (const std::size_t i : whose) {
        if (of.members[i]->wanted) {
            answer(*of.members[i], why);
        }
        leave(of, i);
    }
    for (const reading_ptr& each : of.members) {
        if (each) {
            each->position = of.position(*each);
        }
    }
    return !stopped_ && !of.empty();
}

// Returns when all of them want a page, or the patience with the others is at its end.
void log_readings::await_wishes(lock& held, pass& of, const std::vector<std::size_t>& whose)
{
    for (const std::size_t i : whose) {
        reading& each = *of.members[i];
        each.awaited = !each.wanted && !each.abandoned;
        of.awaited += each.awaited ? 1 : 0;
    }
    const auto until = clock::now() + longest_patience;
    const auto all_there = [&] { return stopped_ || of.awaited == 0; };
    for (std::size_t missing = of.awaited; !all_there(); missing = of.awaited) {
        const bool alone = of.members.size() == 1 && waiting_.empty();
        changed_.wait_for(held, alone ? patience : std::chrono::milliseconds(patience_with_others), all_there);
        if (of.awaited == missing || clock::now() > until) {
            break;
        }
    }
    for (const std::size_t i : whose) {
        of.members[i]->awaited = false;
    }
    of.awaited = 0;
}

// With the mutex held. The handle tells whether anybody still listens: on the client's thread, where it is destroyed.
void log_readings::answer(reading& to, core::result<hub::log_reading::page> page)
{
    to.wanted = false;
    to.post([to = to.shared_from_this(), page = std::move(page)]() mutable {
        if (auto handler = std::exchange(to->handler, nullptr)) {
            handler(std::move(page));
        }
    });
}

// With the mutex held.
void log_readings::leave(pass& of, std::size_t member)
{
    const reading_ptr left = std::exchange(of.members[member], nullptr);
    if (!left) {
        return;
    }
    left->position = of.position(*left);
    left->in = nullptr;
    if (left->wanted && !left->abandoned) {
        waiting_.push_back(left);
        changed_.notify_all();
    }
}

} // namespace rowcast::app
