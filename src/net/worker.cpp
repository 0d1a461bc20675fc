#include "net/worker.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <vector>

#include "core/base64url.hpp"
#include "protocol/event_text.hpp"

namespace rowcast::net {
namespace {

using std::chrono::milliseconds;

// All clients of a bridge that restarts, or that are sent to another transport, would otherwise come back in the same instant.
constexpr milliseconds least_pause{500};
constexpr milliseconds most_pause{5'000};

// What they send together is in the processor's cache still.
constexpr std::size_t most_gathered = 32;

std::string reason_of(const std::exception_ptr& thrown)
{
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& what) {
        return what.what();
    } catch (...) {
        return "unknown";
    }
}

} // namespace

activity::activity(worker& on) : on_(on)
{
    on_.activities_.insert(this);
}

activity::~activity()
{
    on_.activities_.erase(this);
    on_.finished();
}

worker::worker(hub::shard_id id, site& shared, const config::server& settings, const config::rollout& offered, tls_context_ptr tls)
    : shared_(shared)
    , settings_(settings)
    , offered_(offered)
    , tls_(std::move(tls))
    , routes_(settings_, offered_, shared.with)
    , admin_routes_(settings_, shared.with)
    , shard_(id, shared.with.hub, protocol::event_text)
    , random_(std::random_device{}())
    , context_(1)
    , guard_(context_.get_executor())
{
}

worker::~worker()
{
    join();
    stopping_ = false; // those who die with the context below end nothing any more
}

void worker::start()
{
    thread_ = std::thread([this] {
        for (;;) {
            try {
                context_.run();
                return;
            } catch (const std::exception& thrown) {
                // Of a posted function: coroutines hand theirs to `spawn`.
                shared_.tell(observe::background_failed{"shard " + std::to_string(shard_.id()), thrown.what()});
            }
        }
    });
}

void worker::adopt(const config::server& settings, tls_context_ptr tls)
{
    settings_ = settings;
    tls_ = std::move(tls);
}

void worker::offer(const config::rollout& offered)
{
    if (offered_ != offered) {
        offered_ = offered;
        for_each_activity([this](activity& each) { each.check_offer(pause()); });
    }
}

void worker::post(std::function<void()> work)
{
    enqueue(std::move(work));
}

void worker::publish(hub::publication_ptr published, std::shared_ptr<void> ticket)
{
    enqueue(publishing{std::move(published), std::move(ticket)});
}

void worker::enqueue(errand added)
{
    const std::lock_guard locked(errands_guard_);
    errands_.push_back(std::move(added));
    if (errands_.size() == 1) {
        boost::asio::post(context_, [this] { run_next_errand(); });
    }
}

// Or all publications up to the next one that is none. Should it throw, the others have their turn all the same.
void worker::run_next_errand()
{
    std::function<void()> work;
    std::vector<hub::publication_ptr> published;
    std::vector<std::shared_ptr<void>> tickets;
    {
        const std::lock_guard locked(errands_guard_);
        if (auto* const other = std::get_if<std::function<void()>>(&errands_.front())) {
            work = std::move(*other);
            errands_.pop_front();
        }
        while (!work && !errands_.empty() && std::holds_alternative<publishing>(errands_.front())) {
            auto& [what, ticket] = std::get<publishing>(errands_.front());
            // With a count of its own: that all threads count on one is slower than all else that they do with it.
            published.emplace_back(what.get(), [what](const hub::publication*) {});
            tickets.push_back(std::move(ticket));
            errands_.pop_front();
        }
        if (!errands_.empty()) {
            boost::asio::post(context_, [this] { run_next_errand(); });
        }
    }
    if (work) {
        work();
    } else {
        // A shard that goes on after half a publication would leave a hole; clients of a bridge that is started again resume from where they are.
        gathers_ = true;
        [&]() noexcept { shard_.publish(published); }();
        gathers_ = false;
        send_gathered();
    }
}

void worker::wake(std::shared_ptr<activity> whom)
{
    if (woken_.empty()) {
        boost::asio::post(context_, [this] { go_on_all(); });
    }
    woken_.push_back(std::move(whom));
}

void worker::go_on_all()
{
    for (const auto& each : std::exchange(woken_, {})) {
        go_on(*each);
    }
}

void worker::go_on(activity& whom)
{
    guard(whom, &activity::go_on);
}

void worker::guard(activity& whom, void (activity::*action)())
{
    try {
        (whom.*action)();
    } catch (...) {
        whom.abort();
        shared_.tell(observe::background_failed{"a client's connection", reason_of(std::current_exception())});
    }
}

void worker::gather(activity& who)
{
    gathered_.push_back(&who);
    if (gathered_.size() == most_gathered) {
        send_gathered();
    }
}

// None of them ends meanwhile: what they wait for is heard later.
void worker::send_gathered()
{
    for (activity* const each : gathered_) {
        guard(*each, &activity::send_gathered);
    }
    gathered_.clear();
}

void worker::spawn(boost::asio::awaitable<void> task)
{
    ++running_;
    boost::asio::co_spawn(context_, std::move(task), [this](const std::exception_ptr& thrown) {
        if (thrown) {
            shared_.tell(observe::background_failed{"a client's connection", reason_of(thrown)});
        }
        --running_;
        finished();
    });
}

void worker::finished()
{
    if (stopping_ && running_ == 0 && activities_.empty()) {
        drained_.set_value();
        drained_ = {};
        guard_.reset();
    }
}

// An action may end activities, also others than its own.
void worker::for_each_activity(const std::function<void(activity&)>& action)
{
    const std::vector<activity*> now(activities_.begin(), activities_.end());
    for (activity* const each : now) {
        if (activities_.contains(each)) {
            action(*each);
        }
    }
}

milliseconds worker::pause()
{
    return milliseconds(std::uniform_int_distribution<milliseconds::rep>(least_pause.count(), most_pause.count())(random_));
}

std::future<void> worker::stop()
{
    std::future<void> drained = drained_.get_future();
    post([this] { // behind what is on its way to the clients
        stopping_ = true;
        for_each_activity([this](activity& each) { each.say_goodbye(pause()); });
        finished();
    });
    return drained;
}

void worker::abort()
{
    boost::asio::post(context_, [this] { for_each_activity([](activity& each) { each.abort(); }); });
}

void worker::join()
{
    if (thread_.joinable()) {
        context_.stop();
        thread_.join();
    }
}

void worker::reconsider()
{
    for_each_activity([](activity& each) { each.reconsider(); });
}

void worker::check_admission()
{
    for_each_activity([](activity& each) { each.check_admission(); });
}

// All are looked at, some hundred nanoseconds each; only those of the page are described.
session_listing worker::list(const session_search& what) const
{
    session_listing found;
    using place = std::pair<std::string_view, std::string_view>;
    const auto place_of = [](const activity* each) { return place(each->user(), each->session()); };
    std::vector<const activity*> page;
    for (const activity* each : activities_) {
        const std::string_view name = each->session();
        const bool matches = !name.empty() && (what.text.empty() || name == what.text || each->user().find(what.text) != std::string_view::npos) &&
                             (what.transport.empty() || each->transport() == what.transport) &&
                             (!what.catching_up || each->standing().catching_up > 0);
        found.matching += matches ? 1 : 0;
        if (matches && place_of(each) > place(what.after)) {
            page.push_back(each);
        }
    }
    const auto end = page.begin() + static_cast<std::ptrdiff_t>(std::min(what.limit, page.size()));
    found.more = end != page.end();
    std::partial_sort(page.begin(), end, page.end(), [&](const activity* a, const activity* b) { return place_of(a) < place_of(b); });
    std::for_each(page.begin(), end, [&](const activity* each) {
        const hub::standing now = each->standing();
        session_description made;
        made.session = each->session();
        made.user = each->user();
        made.transport = each->transport();
        made.subscriptions = now.subscriptions;
        made.catching_up = now.catching_up > 0;
        made.lacks_from = now.slowest;
        each->describe(made);
        found.sessions.push_back(std::move(made));
    });
    return found;
}

std::size_t worker::send_away(const session_choice& whom)
{
    std::size_t told = 0;
    for_each_activity([&](activity& each) {
        if (!each.session().empty() && (whom.session.empty() ? each.user() == whom.user : each.session() == whom.session)) {
            each.say_goodbye(pause());
            ++told;
        }
    });
    return told;
}

std::string worker::name_session()
{
    std::array<char, 12> bytes{};
    std::generate(bytes.begin(), bytes.end(), [this] { return static_cast<char>(random_() & 0xFF); });
    return core::to_base64url({bytes.data(), bytes.size()});
}

} // namespace rowcast::net
