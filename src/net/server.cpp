#include "net/server.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <future>
#include <iterator>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "net/connection.hpp"
#include "net/listener.hpp"
#include "net/worker.hpp"

namespace rowcast::net {
namespace {

// For those who were told to end now, and end by themselves.
constexpr std::chrono::seconds time_to_abort{2};

// A survey must not hold up those who are served meanwhile.
constexpr std::size_t feeds_at_a_time = 1000;

bool all_ready(std::vector<std::future<void>>& of, std::chrono::steady_clock::time_point until)
{
    return std::all_of(of.begin(), of.end(), [&](auto& each) { return each.wait_until(until) == std::future_status::ready; });
}

} // namespace

struct server::state {
    state(const config::server& settings, const config::rollout& offered, unsigned shards, services with, const time_limits& times)
        : shared(settings.limits, std::move(with), times)
    {
        const tls_context_ptr tls = make_tls_context(settings.certificate);
        for (unsigned id = 0; id < std::max(shards, 1u); ++id) {
            workers.push_back(std::make_unique<worker>(id, shared, settings, offered, tls));
        }
    }

    // Round robin: sessions last so long that nothing cleverer pays.
    listener::destination next(door through)
    {
        worker& on = *workers[turn++ % workers.size()];
        return {on.context(), [&on, through](listener::socket client, session_count::place place) {
                    boost::asio::post(on.context(), [&on, through, client = std::move(client), place = std::move(place)]() mutable {
                        if (!on.is_stopping()) {
                            on.spawn(serve_connection(on, std::move(client), std::move(place), through));
                        }
                    });
                }};
    }

    // The shard's feeds from `first` on, then the other shards'.
    void survey(std::size_t number, std::size_t first, hub::standing so_far, std::function<void(const hub::standing&)> done)
    {
        worker& on = *workers[number];
        boost::asio::post(on.context(), [this, &on, number, first, so_far, done = std::move(done)]() mutable {
            so_far.add(on.shard().survey(first, feeds_at_a_time));
            if (first + feeds_at_a_time < on.shard().feeds()) {
                survey(number, first + feeds_at_a_time, so_far, std::move(done));
            } else if (number + 1 < workers.size()) {
                survey(number + 1, 0, so_far, std::move(done));
            } else {
                done(so_far);
            }
        });
    }

    // Each shard adds what it has, on its own thread.
    template <class Sum>
    void gather(std::size_t number, Sum so_far, std::function<void(worker&, Sum&)> add, std::function<void(Sum)> done)
    {
        if (number == workers.size()) {
            done(std::move(so_far));
            return;
        }
        worker& on = *workers[number];
        boost::asio::post(on.context(), [this, &on, number, so_far = std::move(so_far), add = std::move(add), done = std::move(done)]() mutable {
            add(on, so_far);
            gather(number + 1, std::move(so_far), std::move(add), std::move(done));
        });
    }

    site shared;
    std::vector<std::unique_ptr<worker>> workers;
    // The operators', if any, and all live on the first worker.
    struct entrance {
        std::unique_ptr<listener> accepting;
        door through;
    };
    std::vector<entrance> entrances;
    std::size_t turn = 0;
    bool running = false;
};

server::server(const config::server& settings, const config::rollout& offered, unsigned shards, services with, const time_limits& times)
    : state_(std::make_unique<state>(settings, offered, shards, std::move(with), times))
{
}

server::~server()
{
    stop(std::chrono::milliseconds(0));
    for (auto& each : state_->workers) {
        each->join();
    }
}

void server::start()
{
    worker& first = *state_->workers.front();
    const config::server& settings = first.settings();
    const auto open = [&](const config::listener& at, listener::role of, door through) {
        auto made = std::make_unique<listener>(first.context(), state_->shared, settings, at, of);
        const std::uint16_t port = made->port();
        state_->entrances.push_back({std::move(made), through});
        return port;
    };
    for (const config::listener& each : settings.listen) {
        ports_.push_back(open(each, listener::role::clients, {.tls = each.tls, .proxy_protocol = each.proxy_protocol}));
    }
    if (settings.admin) {
        admin_port_ = open(*settings.admin, listener::role::operators, {.for_operators = true});
    }
    boost::asio::post(first.context(), [state = state_.get(), &first] {
        for (auto& each : state->entrances) {
            first.spawn(each.accepting->run([state, through = each.through] { return state->next(through); }));
        }
    });
    warn_of_limit(settings.limits);
    for (std::size_t i = 0; i < settings.listen.size(); ++i) {
        state_->shared.tell(observe::listening{settings.listen[i].at.address, ports_[i], "clients"});
    }
    if (settings.admin) {
        state_->shared.tell(observe::listening{settings.admin->at.address, admin_port_, "administration"});
    }
    for (auto& each : state_->workers) {
        each->start();
    }
    state_->running = true;
}

std::vector<std::string> server::not_ready() const
{
    return state_->shared.with.not_ready();
}

void server::warn_of_limit(const config::limits& limits) const
{
    if (const std::size_t most = state_->shared.limited(limits).sessions; limits.sessions > most) {
        state_->shared.tell(observe::sessions_limited{limits.sessions, most, descriptor_limit()});
    }
}

void server::adopt(const config::server& settings, const tls_context_ptr& tls)
{
    warn_of_limit(settings.limits);
    state_->shared.count.limit(state_->shared.limited(settings.limits));
    for (auto& each : state_->workers) {
        each->post([&on = *each, settings, tls] { on.adopt(settings, tls); });
    }
}

void server::offer(const config::rollout& offered)
{
    for (auto& each : state_->workers) {
        each->post([&on = *each, offered] { on.offer(offered); });
    }
}

void server::stop(std::chrono::milliseconds deadline)
{
    if (!std::exchange(state_->running, false)) {
        return;
    }
    const auto until = std::chrono::steady_clock::now() + deadline;
    post(0, [state = state_.get()] {
        for (auto& each : state->entrances) {
            each.accepting->close();
        }
    });
    std::vector<std::future<void>> drained;
    for (auto& each : state_->workers) {
        drained.push_back(each->stop());
    }
    if (!all_ready(drained, until)) {
        for (auto& each : state_->workers) {
            each->abort();
        }
        all_ready(drained, std::chrono::steady_clock::now() + time_to_abort);
    }
    for (auto& each : state_->workers) {
        each->join();
    }
}

unsigned server::shards() const
{
    return static_cast<unsigned>(state_->workers.size());
}

void server::publish(const hub::publication_ptr& published, const std::shared_ptr<void>& ticket)
{
    for (auto& each : state_->workers) {
        each->publish(published, ticket);
    }
}

void server::post(hub::shard_id id, std::function<void()> work)
{
    state_->workers.at(id)->post(std::move(work));
}

void server::permissions_changed()
{
    for (auto& each : state_->workers) {
        each->post([&on = *each] { on.reconsider(); });
    }
}

void server::admissions_changed()
{
    for (auto& each : state_->workers) {
        each->post([&on = *each] { on.check_admission(); });
    }
}

// From shard to shard, each on its own thread.
void server::survey(std::function<void(const hub::standing&)> done)
{
    state_->survey(0, 0, {}, std::move(done));
}

void server::list_sessions(const session_search& what, std::function<void(session_listing)> done)
{
    const auto add = [what](worker& on, session_listing& so_far) {
        session_listing here = on.list(what);
        so_far.matching += here.matching;
        std::vector<session_description> both;
        std::merge(std::make_move_iterator(so_far.sessions.begin()), std::make_move_iterator(so_far.sessions.end()),
                   std::make_move_iterator(here.sessions.begin()), std::make_move_iterator(here.sessions.end()), std::back_inserter(both),
                   [](const auto& a, const auto& b) { return std::tie(a.user, a.session) < std::tie(b.user, b.session); });
        so_far.more = so_far.more || here.more || both.size() > what.limit;
        both.resize(std::min(both.size(), what.limit));
        so_far.sessions = std::move(both);
    };
    state_->gather<session_listing>(0, {}, add, std::move(done));
}

void server::send_away(const session_choice& whom, std::function<void(std::size_t)> done)
{
    state_->gather<std::size_t>(0, 0, [whom](worker& on, std::size_t& so_far) { so_far += on.send_away(whom); }, std::move(done));
}

} // namespace rowcast::net
