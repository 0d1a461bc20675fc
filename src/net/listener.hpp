#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>

#include "config/configuration.hpp"
#include "net/client_address.hpp"
#include "net/client_socket.hpp"
#include "net/local_socket.hpp"
#include "net/site.hpp"

namespace rowcast::net {

// Takes connections at one place and gives them away, without a word to the client: nobody's handshake holds up the next. One thread.
class listener {
public:
    using socket = client_socket;
    // Where the next connection is to live, and what takes it there.
    struct destination {
        boost::asio::io_context& context;
        std::function<void(socket, session_count::place)> take;
    };
    enum class role { clients, operators };

    // Throws std::system_error where it cannot listen.
    listener(boost::asio::io_context& on, site& shared, const config::server& settings, const config::listener& at, role of);

    std::uint16_t port() const; // 0: a Unix socket's

    boost::asio::awaitable<void> run(std::function<destination()> next);
    void close();

private:
    using acceptor = boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol>;

    void open();
    core::result<session_count::place> receive(const origin_address& from);
    void turn_away(socket client, const origin_address& from, const core::failure& why);

    site& shared_;
    const config::server& settings_;
    const config::listener at_;
    const role role_;
    session_count& connections_;
    acceptor acceptor_;
    local_socket file_;
    boost::asio::steady_timer pause_;
};

} // namespace rowcast::net
