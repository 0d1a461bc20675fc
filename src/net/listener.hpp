#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <map>

#include "config/configuration.hpp"
#include "net/rate.hpp"
#include "net/site.hpp"

namespace rowcast::net {

// Takes connections and gives them away, without a word to the client: nobody's handshake holds up the next. One thread.
class listener {
public:
    using tcp = boost::asio::ip::tcp;
    // Where the next connection is to live, and what takes it there.
    struct destination {
        boost::asio::io_context& context;
        std::function<void(tcp::socket, session_count::place)> take;
    };

    // Throws std::system_error where it cannot listen; `key` is what the configuration calls this address, and
    // `connections` has a place for each of its clients.
    listener(boost::asio::io_context& on, site& shared, const config::server& settings, const config::endpoint& at, const char* key,
             session_count& connections);

    std::uint16_t port() const;

    boost::asio::awaitable<void> run(std::function<destination()> next);
    void close();

private:
    bool is_welcome(const tcp::socket& client);
    void turn_away(tcp::socket client, const core::failure& why);

    site& shared_;
    const config::server& settings_;
    session_count& connections_;
    tcp::acceptor acceptor_;
    boost::asio::steady_timer pause_;
    std::map<boost::asio::ip::address, rate> addresses_;
};

} // namespace rowcast::net
