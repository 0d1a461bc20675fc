#include "app/admin_desk.hpp"

#include <boost/asio/post.hpp>

#include <exception>
#include <utility>

namespace rowcast::app {
namespace {

net::answer carry_out(const admin_desk::work& work, const net::admin_request& asked)
{
    try {
        return work(asked);
    } catch (const std::exception& thrown) {
        return net::refuse({core::error_code::internal, thrown.what()});
    }
}

} // namespace

net::admin_action admin_desk::action(work done)
{
    return [this, work = std::move(done)](net::admin_request asked, std::function<void(net::answer)> reply) {
        if (waiting_ >= most_waiting) {
            reply(net::refuse({core::error_code::unavailable, "other calls wait for their turn; try again"}));
            return;
        }
        ++waiting_;
        boost::asio::post(thread_, [this, work, asked = std::move(asked), reply = std::move(reply)] {
            reply(carry_out(work, asked));
            --waiting_;
        });
    };
}

void admin_desk::stop()
{
    thread_.stop();
    thread_.join();
}

} // namespace rowcast::app
