#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace rowcast::net {

// Results instead of exceptions: a connection that breaks is nothing exceptional.
inline constexpr auto as_result = boost::asio::as_tuple(boost::asio::use_awaitable);

// Lets one coroutine sleep until something happens or a time comes. What happens while nobody waits is remembered.
// One thread.
class wakeup {
public:
    using time = std::chrono::steady_clock::time_point;

    explicit wakeup(const boost::asio::any_io_executor& on) : timer_(on) {}

    void notify()
    {
        notified_ = true;
        timer_.cancel();
    }

    boost::asio::awaitable<void> wait(time until = time::max())
    {
        if (!notified_) {
            timer_.expires_at(until);
            co_await timer_.async_wait(as_result);
        }
        notified_ = false;
    }

private:
    boost::asio::steady_timer timer_;
    bool notified_ = false;
};

} // namespace rowcast::net
