#pragma once

#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <cstddef>
#include <functional>

#include "net/services.hpp"

namespace rowcast::app {

// What operators ask for at server.admin is done here, one after the other, on a thread that may wait for files and the
// database. A few calls may wait for their turn; more are refused.
class admin_desk {
public:
    using work = std::function<net::answer(const net::admin_request&)>;

    ~admin_desk() { stop(); }

    // As one of net::services::administer. What `work` throws is answered with `internal`. Not to be called after the desk's end.
    net::admin_action action(work done);

    void stop(); // waits for the call under way; the others are dropped

private:
    static constexpr std::size_t most_waiting = 16;

    std::atomic<std::size_t> waiting_ = 0;
    boost::asio::thread_pool thread_{1};
};

} // namespace rowcast::app
