#include "net/admin_call.hpp"

#include <boost/asio/post.hpp>

#include <memory>
#include <optional>
#include <utility>

#include "net/wakeup.hpp"

namespace rowcast::net {
namespace {

using namespace std::chrono_literals;

constexpr auto most_time = 30s;

// Shared with an action that may outlive the caller's patience.
struct pending {
    explicit pending(const boost::asio::any_io_executor& on) : done(on) {}
    wakeup done;
    std::optional<answer> made;
};

} // namespace

boost::asio::awaitable<answer> run_call(worker& on, open_call what)
{
    const auto call = std::make_shared<pending>(on.context().get_executor());
    what.action(std::move(what.asked), [call, &context = on.context()](answer made) {
        boost::asio::post(context, [call, made = std::move(made)]() mutable {
            call->made = std::move(made);
            call->done.notify();
        });
    });
    co_await call->done.wait(std::chrono::steady_clock::now() + most_time);
    co_return call->made ? std::move(*call->made)
                         : refuse({core::error_code::unavailable, "the answer takes too long; what was asked for may be done yet"});
}

} // namespace rowcast::net
