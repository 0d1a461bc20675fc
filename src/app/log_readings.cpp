#include "app/log_readings.hpp"

#include <chrono>
#include <utility>

namespace rowcast::app {
namespace {

using namespace std::chrono_literals;

// A session that is slow holds a page while it sends it, and there may be many of those.
constexpr postgres::page_limits pages{.changes = 1000, .bytes = 128 * 1024};

// How long a client may let a thread wait for its next wish, alone and when others are in line; and how long one that
// keeps up is served before others get their turn. Giving up a place costs the next page's statement, no more.
constexpr auto patience = 2s;
constexpr auto patience_in_line = 50ms;
constexpr auto turn = 5s;
constexpr auto retry_delay = 500ms;

} // namespace

// One reading, shared by its client's handle and the thread that serves it; the mutex of log_readings guards it.
struct log_readings::reading {
    postgres::log_filter filter;
    post_back post;
    core::cursor position; // after the last page that the client got
    bool wanted = false;   // the client waits for a page
    bool served = false;   // a thread is with it
    bool abandoned = false;
    hub::log_reading::handler handler; // of the client's thread alone
};

class log_readings::handle final : public hub::log_reading {
public:
    handle(log_readings& owner, reading_ptr what) : owner_(owner), what_(std::move(what)) {}
    ~handle() override
    {
        const std::lock_guard lock(owner_.mutex_);
        what_->abandoned = true;
        what_->handler = nullptr;
        owner_.changed_.notify_all();
    }

    void next(handler done) override
    {
        what_->handler = std::move(done);
        const std::lock_guard lock(owner_.mutex_);
        what_->wanted = true;
        if (!what_->served) {
            owner_.waiting_.push_back(what_);
        }
        owner_.changed_.notify_all();
    }

private:
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
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        stop_.set();
        changed_.notify_all();
    }
    for (std::thread& each : std::exchange(threads_, {})) {
        each.join();
    }
}

void log_readings::expect(const postgres::log_identity& identity)
{
    const std::lock_guard lock(mutex_);
    identity_ = std::make_shared<const postgres::log_identity>(identity);
}

std::unique_ptr<hub::log_reading> log_readings::begin(core::cursor from, const std::vector<hub::view_spec>& views, post_back post)
{
    auto made = std::make_shared<reading>();
    for (const hub::view_spec& each : views) {
        if (const auto* channel = std::get_if<hub::view_spec::channel>(&each.target)) {
            made->filter.channels.push_back(channel->name);
        } else {
            made->filter.tables.emplace_back(each.table());
        }
    }
    made->position = std::move(from);
    made->post = std::move(post);
    return std::make_unique<handle>(*this, std::move(made));
}

void log_readings::run()
{
    postgres::log_reader reader(connect_with_, tell_, &stop_, pages);
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [&] { return stopped_ || !waiting_.empty(); });
        if (stopped_) {
            return;
        }
        const reading_ptr chosen = std::move(waiting_.front());
        waiting_.pop_front();
        if (chosen->abandoned) {
            continue;
        }
        chosen->served = true;
        reader.open(*identity_, chosen->position, chosen->filter);
        lock.unlock();
        serve(reader, chosen);
        reader.close();
        lock.lock();
        chosen->served = false;
        if (chosen->wanted && !chosen->abandoned) {
            waiting_.push_back(chosen);
        }
    }
}

// Reads one page ahead, waits for the client to want it, hands it over: until the end, or until the place is needed.
void log_readings::serve(postgres::log_reader& reader, const reading_ptr& chosen)
{
    const auto began = std::chrono::steady_clock::now();
    for (;;) {
        auto page = reader.next();
        std::unique_lock lock(mutex_);
        if (page.has_error() && page.error().code == core::error_code::unavailable) {
            changed_.wait_for(lock, retry_delay, [&] { return stopped_ || chosen->abandoned; });
            if (stopped_ || chosen->abandoned) {
                return;
            }
            continue;
        }
        const auto wait = waiting_.empty() ? patience : std::chrono::milliseconds(patience_in_line);
        changed_.wait_for(lock, wait, [&] { return stopped_ || chosen->abandoned || chosen->wanted; });
        if (stopped_ || chosen->abandoned || !chosen->wanted) {
            return;
        }
        if (page.has_error()) {
            answer(chosen, page.error());
            return;
        }
        const bool end = *page == nullptr;
        chosen->position = reader.position();
        const std::string cursor = identity_->codec().seal(chosen->position);
        answer(chosen, hub::log_reading::page{std::move(*page), chosen->position, cursor});
        if (end || (!waiting_.empty() && std::chrono::steady_clock::now() - began > turn)) {
            return;
        }
    }
}

// With the mutex held. The handle tells whether anybody still listens: on the client's thread, where it is destroyed.
void log_readings::answer(const reading_ptr& to, core::result<hub::log_reading::page> page)
{
    to->wanted = false;
    to->post([to, page = std::move(page)]() mutable {
        if (auto handler = std::exchange(to->handler, nullptr)) {
            handler(std::move(page));
        }
    });
}

} // namespace rowcast::app
