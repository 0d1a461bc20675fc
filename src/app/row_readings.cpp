#include "app/row_readings.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "protocol/event_text.hpp"

namespace rowcast::app {
namespace {

using namespace std::chrono_literals;
using core::error_code;
using core::failure;

constexpr std::size_t page_size = 64 * 1024;

// So a list of usual size leaves the database at once, however slow its client is.
constexpr std::size_t most_held_for_one = 1024 * 1024;
constexpr std::size_t most_held = 64 * 1024 * 1024;

failure fail_with(error_code why, std::string message)
{
    return {why, std::move(message)};
}

} // namespace

// One reading, shared by its client's handle and the thread that serves it; the mutex of row_readings guards what is not
// constant.
struct row_readings::reading : std::enable_shared_from_this<reading> {
    hub::row_request wanted;
    post_back post;
    clock::time_point asked = clock::now();
    std::atomic<bool> abandoned = false;

    std::deque<hub::row_reading::page> ready;
    std::size_t held = 0;                // bytes of them
    std::optional<core::failure> failed; // comes after them
    bool wants = false;                  // the client waits for a page
    hub::row_reading::handler handler;   // of the client's thread alone

    // of the serving thread alone
    clock::time_point until{};
    std::string cursor;
    std::size_t rows = 0;
    std::size_t hidden = 0;
};

class row_readings::handle final : public hub::row_reading {
public:
    handle(row_readings& owner, reading_ptr what)
        : owner_(owner)
        , what_(std::move(what))
    {
    }

    ~handle() override
    {
        what_->handler = nullptr;
        const std::lock_guard held(owner_.mutex_);
        owner_.leave(*what_);
    }

    void next(handler done) override
    {
        what_->handler = std::move(done);
        const std::lock_guard held(owner_.mutex_);
        what_->wants = true;
        owner_.answer(*what_);
    }

private:
    row_readings& owner_;
    reading_ptr what_;
};

row_readings::row_readings(postgres::connection_options bridge, postgres::connection_options reader, limits most,
                           observe::sink tell)
    : bridge_(std::move(bridge))
    , reader_(std::move(reader))
    , most_(most)
    , tell_(std::move(tell))
{
    for (std::size_t i = 0; i < most_.concurrent; ++i) {
        threads_.emplace_back([this] { run(); });
    }
    threads_.emplace_back([this] { watch_queue(); });
}

row_readings::~row_readings()
{
    stop();
}

void row_readings::stop()
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

void row_readings::expect(const postgres::log_identity& identity, std::shared_ptr<const core::cursor_codec> codec)
{
    const std::lock_guard held(mutex_);
    identity_ = std::make_shared<const postgres::log_identity>(identity);
    codec_ = std::move(codec);
    changed_.notify_all();
}

std::unique_ptr<hub::row_reading> row_readings::begin(hub::row_request wanted, post_back post)
{
    auto made = std::make_shared<reading>();
    made->wanted = std::move(wanted);
    made->post = std::move(post);
    const std::lock_guard held(mutex_);
    if (waiting_.size() >= most_.queue + (most_.concurrent - reading_)) {
        fail(*made, fail_with(error_code::too_many_readings,
                              std::to_string(most_.queue) + " clients wait to be given rows already; come back later"));
    } else {
        waiting_.push_back(made);
        changed_.notify_all();
        say_how_many();
    }
    return std::make_unique<handle>(*this, std::move(made));
}

// With the mutex held, as `answer`, `leave` and `say_how_many`.
void row_readings::fail(reading& of, failure why)
{
    of.failed = std::move(why);
    answer(of);
}

// The handle tells whether anybody still listens: on the client's thread, where it is destroyed.
void row_readings::answer(reading& to)
{
    if (!to.wants || (to.ready.empty() && !to.failed)) {
        return;
    }
    to.wants = false;
    core::result<hub::row_reading::page> page = to.ready.empty()
                                                    ? core::result<hub::row_reading::page>(*to.failed)
                                                    : core::result<hub::row_reading::page>(std::move(to.ready.front()));
    if (!to.ready.empty()) {
        to.ready.pop_front();
        const std::size_t size = page->rows.size();
        to.held -= size;
        held_ -= size;
        changed_.notify_all();
    }
    to.post([to = to.shared_from_this(), page = std::move(page)]() mutable {
        if (auto handler = std::exchange(to->handler, nullptr)) {
            handler(std::move(page));
        }
    });
}

void row_readings::leave(reading& gone)
{
    gone.abandoned = true;
    held_ -= std::exchange(gone.held, 0);
    gone.ready.clear();
    std::erase_if(waiting_, [&](const reading_ptr& each) { return each.get() == &gone; });
    changed_.notify_all();
    say_how_many();
}

void row_readings::say_how_many()
{
    tell_(observe::row_readings_stand{reading_, waiting_.size()});
}

// Who has waited for too long is told so, also while every thread waits for PostgreSQL.
void row_readings::watch_queue()
{
    lock held(mutex_);
    while (!stopped_) {
        if (waiting_.empty()) {
            changed_.wait(held);
            continue;
        }
        const auto until = waiting_.front()->asked + most_.wait;
        if (clock::now() < until) {
            changed_.wait_until(held, until);
            continue;
        }
        const reading_ptr late = std::move(waiting_.front());
        waiting_.pop_front();
        say_how_many();
        if (identity_) {
            fail(*late, fail_with(error_code::too_many_readings, "others were given rows for too long; come back later"));
        } else {
            fail(*late, fail_with(error_code::unavailable, ""));
        }
    }
}

void row_readings::run()
{
    postgres::row_reader reader(bridge_, reader_, tell_, &stop_);
    lock held(mutex_);
    for (;;) {
        changed_.wait(held, [&] { return stopped_ || (!waiting_.empty() && identity_); });
        if (stopped_) {
            return;
        }
        const reading_ptr next = std::move(waiting_.front());
        waiting_.pop_front();
        ++reading_;
        say_how_many();
        held.unlock();
        serve(reader, *next);
        held.lock();
        --reading_;
        say_how_many();
    }
}

void row_readings::serve(postgres::row_reader& reader, reading& of)
{
    const auto began = clock::now();
    of.until = began + most_.timeout;
    const auto done = read(reader, of);
    reader.close();
    using std::chrono::duration_cast;
    using std::chrono::microseconds;
    tell_(observe::rows_read{of.rows, of.hidden, duration_cast<microseconds>(began - of.asked),
                             duration_cast<microseconds>(clock::now() - began),
                             done           ? ""
                             : of.abandoned ? "gone"
                                            : std::string(to_string(done.error().code))});
    if (!done) {
        const std::lock_guard held(mutex_);
        fail(of, done.error());
    }
}

core::result<void> row_readings::read(postgres::row_reader& reader, reading& of)
{
    std::shared_ptr<const postgres::log_identity> identity;
    std::shared_ptr<const core::cursor_codec> codec;
    {
        const std::lock_guard held(mutex_);
        identity = identity_;
        codec = codec_;
    }
    auto as_of = reader.open(*identity);
    if (!as_of) {
        return as_of.error();
    }
    of.cursor = codec->seal({std::move(*as_of), std::nullopt});
    for (std::size_t view = 0; view < of.wanted.views.size(); ++view) {
        if (auto done = read_view(reader, of, view); !done) {
            return done;
        }
    }
    return {};
}

// SQL narrows; what the row is to the viewer, and in which columns, is decided where it is decided for changes.
core::result<void> row_readings::read_view(postgres::row_reader& reader, reading& of, std::size_t view)
{
    const policy::visibility& viewer = *of.wanted.views[view];
    const auto limit = of.wanted.limit;
    if (auto begun = reader.select(viewer, limit ? std::optional(*limit + 1) : std::nullopt); !begun) {
        return begun;
    }
    hub::row_reading::page page{.view = view, .rows = {}, .cursor = of.cursor};
    std::size_t given = 0;
    core::change arrival;
    arrival.op = arrival.cause = core::operation::insert;
    arrival.table = viewer.over().name;
    for (;;) {
        auto row = reader.next();
        if (!row) {
            return row.error();
        }
        if (!*row) {
            break;
        }
        if (of.abandoned || clock::now() >= of.until) {
            return fail_with(error_code::rows_timeout, "");
        }
        arrival.after = std::move((*row)->columns);
        arrival.truncated = (*row)->truncated;
        const auto seen = viewer.see(arrival);
        if (std::holds_alternative<policy::visibility::nothing>(seen)) {
            ++of.hidden;
            continue;
        }
        if (limit && given == *limit) {
            page.cut = true;
            continue;
        }
        if (of.rows == most_.rows) {
            return fail_with(error_code::too_many_rows, "one reading gives at most " + std::to_string(most_.rows) +
                                                            " rows; ask for fewer, by a filter or by parts");
        }
        if (page.rows.size() >= page_size) {
            page.more = true;
            if (auto taken = give(of, std::exchange(page, {.view = view, .rows = {}, .cursor = of.cursor})); !taken) {
                return taken;
            }
        }
        page.rows += page.count++ == 0 ? "" : ",";
        if (const auto* shown = std::get_if<policy::effect>(&seen); shown && !shown->truncated) {
            protocol::append_object(page.rows, shown->row);
        } else {
            page.rows += arrival.after.json(); // its key, which every rule gives
        }
        ++given;
        ++of.rows;
    }
    return give(of, std::move(page));
}

// Waits for room.
core::result<void> row_readings::give(reading& of, hub::row_reading::page page)
{
    const std::size_t size = page.rows.size();
    const auto since = clock::now();
    lock held(mutex_);
    const auto room = [&] {
        return of.ready.empty() || (of.held + size <= most_held_for_one && held_ + size <= most_held);
    };
    while (!stopped_ && !of.abandoned && clock::now() < of.until && !room()) {
        const auto until = waiting_.empty() ? of.until : std::min(of.until, since + most_.patience);
        if (clock::now() >= until) {
            break;
        }
        changed_.wait_until(held, until);
    }
    if (stopped_ || of.abandoned) {
        return fail_with(error_code::shutdown, "");
    }
    if (!room() || clock::now() >= of.until) {
        return fail_with(error_code::rows_timeout, "");
    }
    of.held += size;
    held_ += size;
    of.ready.push_back(std::move(page));
    answer(of);
    return {};
}

} // namespace rowcast::app
