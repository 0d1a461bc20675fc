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
    boost::asio::post(context_, [this] {
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

std::string worker::name_session()
{
    std::array<char, 12> bytes{};
    std::generate(bytes.begin(), bytes.end(), [this] { return static_cast<char>(random_() & 0xFF); });
    return core::to_base64url({bytes.data(), bytes.size()});
}

} // namespace rowcast::net
