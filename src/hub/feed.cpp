#include "hub/feed.hpp"

#include "hub/feed_state.hpp"

namespace rowcast::hub {

feed::feed(shard& home, feed_limits limits, ready_call ready)
    : state_(std::make_shared<state>(home, limits, std::move(ready)))
{
}

feed::~feed()
{
    state_->leave();
}

core::result<void> feed::subscribe(request wanted, std::optional<std::string> after, std::optional<core::error_code> reset)
{
    std::vector<request> one;
    one.push_back(std::move(wanted));
    return state_->subscribe(std::move(one), std::move(after), reset, true);
}

core::result<void> feed::subscribe_together(std::vector<request> wanted, std::optional<std::string> after, std::optional<core::error_code> reset)
{
    return state_->subscribe(std::move(wanted), std::move(after), reset, false);
}

core::result<void> feed::unsubscribe(std::string_view id)
{
    return state_->unsubscribe(id);
}

void feed::stop(std::string_view id, std::string reason)
{
    state_->stop(id, std::move(reason));
}

std::optional<output> feed::next(const portion& most)
{
    return state_->next(most);
}

std::optional<std::string> feed::moved_on()
{
    return state_->moved_on();
}

bool feed::has_output() const
{
    return state_->has_output();
}

bool feed::caught_up() const
{
    return state_->caught_up();
}

std::size_t feed::subscriptions() const
{
    return state_->subscriptions();
}

standing feed::survey() const
{
    return state_->survey();
}

bool feed::has_fallen_behind()
{
    return state_->has_fallen_behind();
}

} // namespace rowcast::hub
