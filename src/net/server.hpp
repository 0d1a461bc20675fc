#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/configuration.hpp"
#include "hub/publication.hpp"
#include "hub/shard.hpp"
#include "net/services.hpp"
#include "net/session_listing.hpp"
#include "net/time_limits.hpp"
#include "net/tls.hpp"

namespace boost::asio {
class io_context;
}

namespace rowcast::net {

// Clients: HTTP/1.1, WebSocket and SSE, at one place or several; operators at another. How app uses it:
//
//     net::server server(config.server, config.rollout, std::thread::hardware_concurrency(), services);
//     server.start();                             // throws std::system_error where it cannot listen; port() is known now
//     server.publish(publication);                // from the hub's thread, in order: every shard gets it on its own
//     server.post(shard, [reply] { ... });        // the gateway's replies, in order with the publications
//     server.permissions_changed();               // after a reload or a new catalog: sessions are held against them
//     server.stop(std::chrono::seconds(10));      // goodbye to everyone, drain, then force; returns when all is over
//
// One shard is one io_context, one thread, one hub::shard, and the sessions that were given to it: nobody else touches
// them. The shards' contexts live as long as the server; they run between start() and the end of stop(), and what is
// posted to them afterwards is dropped. So the hub stops before the server is destroyed.
class server {
public:
    server(const config::server& settings, const config::rollout& offered, unsigned shards, services with, const time_limits& times = {});
    // Throws std::invalid_argument where the certificate cannot be used.
    ~server(); // stops at once where nobody called stop()
    server(const server&) = delete;

    void start();
    void stop(std::chrono::milliseconds deadline);

    // Where it listens, in the order of the configuration; the real ports where 0 was asked for, and 0 for Unix sockets; none for
    // operators (0) where server.admin is off. After start().
    std::uint16_t port(std::size_t number = 0) const { return ports_.at(number); }
    std::uint16_t admin_port() const { return admin_port_; }

    // What /readyz says: why not, of the bridge and of its clients; none: ready. Any thread.
    std::vector<std::string> not_ready() const;

    unsigned shards() const;

    // From any thread; what one thread posts arrives in its order. The ticket is let go of when all shards have handed it out.
    void publish(const hub::publication_ptr& published, const std::shared_ptr<void>& ticket = nullptr);
    void post(hub::shard_id id, std::function<void()> work);
    void permissions_changed();
    void admissions_changed(); // who may stay

    // Other limits, origins, heartbeat, admin_token, trusted proxies and certificate, for new connections; where it listens stays as it is.
    void adopt(const config::server& settings, const tls_context_ptr& tls);
    // For new connections, and those who have one that is no longer offered to them are sent away from it.
    void offer(const config::rollout& offered);

    // Where all clients stand. `done` is called on a shard's thread; not where the server stops before. So it is with
    // what follows.
    void survey(std::function<void(const hub::standing&)> done);

    // The sessions that there are, by name, at most as many as are asked for.
    void list_sessions(const session_search& what, std::function<void(session_listing)> done);
    // Tells them to come back, as a stop does; how many there were.
    void send_away(const session_choice& whom, std::function<void(std::size_t)> done);

private:
    void warn_of_limit(const config::limits& limits) const;

    struct state;
    std::unique_ptr<state> state_;
    std::vector<std::uint16_t> ports_;
    std::uint16_t admin_port_ = 0;
};

} // namespace rowcast::net
