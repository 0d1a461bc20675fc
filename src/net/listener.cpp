#include "net/listener.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <system_error>

#include "config/quantity.hpp"
#include "net/answer.hpp"
#include "net/wakeup.hpp"

namespace rowcast::net {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;
using generic = boost::asio::generic::stream_protocol;
using namespace std::chrono_literals;

// Out of descriptors or memory: some are freed as sessions end, so go on after a while.
constexpr auto pause_after_error = 100ms;
constexpr int backlog = 4096;

const generic unix_stream(AF_UNIX, 0);

std::string key_of(listener::role of)
{
    return of == listener::role::operators ? "server.admin" : "server.listen";
}

tcp::endpoint resolve(const boost::asio::any_io_executor& on, const config::endpoint& at)
{
    error_code why;
    tcp::resolver resolver(on);
    const auto found = resolver.resolve(at.address, std::to_string(at.port), tcp::resolver::passive, why);
    if (why) {
        throw std::system_error(std::error_code(why), "there is no such address");
    }
    return *found.begin();
}

// The first of the sockets that whoever started this process has opened already for which that holds: clients who come
// during a restart wait in it (systemd's socket activation, sd_listen_fds(3)).
template <class Test>
std::optional<int> inherited(Test is_it)
{
    for (int each = SD_LISTEN_FDS_START; each < SD_LISTEN_FDS_START + ::sd_listen_fds(0); ++each) {
        if (is_it(each)) {
            return ::fcntl(each, F_DUPFD_CLOEXEC, 0);
        }
    }
    return std::nullopt;
}

// Where [::] and 0.0.0.0 of one port are both listened on, each takes its own; alone, [::] takes both.
bool has_twin(const config::endpoint& at, const config::server& settings)
{
    return std::any_of(settings.listen.begin(), settings.listen.end(), [&](const config::listener& each) {
        return each.at.port == at.port && each.at.address != at.address && each.at.address.find(':') == std::string::npos;
    });
}

std::string what_to_do(const std::error_code& why, const config::endpoint& at, listener::role of)
{
    const std::string otherwise = of == listener::role::operators ? ", or `off` where nobody needs metrics and calls" : "";
    if (why == std::errc::address_in_use) {
        return "; another program, perhaps another bridge, has it: give " + key_of(of) + (at.is_path() ? " another path" : " another port") + otherwise;
    }
    if (why == std::errc::file_exists) {
        return ", which is not a socket and is left alone: give " + key_of(of) + " another path";
    }
    if (at.is_path()) {
        return "; the folder must be there, and this user must be able to write to it (RuntimeDirectory= of systemd)";
    }
    return "";
}

void set(int socket, int level, int name, int value)
{
    // Each of them only makes things better: what the kernel does not know is left out.
    ::setsockopt(socket, level, name, &value, sizeof value);
}

void tune(int socket, std::chrono::milliseconds heartbeat)
{
    set(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    // What is not on its way yet stays with us, where a slow client's output is bounded and pings can overtake it.
    set(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 128 * 1024);
    // A peer that is gone without a word, for those who only get (SSE, long polls).
    const auto patience = std::clamp<std::chrono::milliseconds>(2 * heartbeat, 20s, 120s);
    set(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(patience.count()));
    set(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(socket, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set(socket, IPPROTO_TCP, TCP_KEEPINTVL, 15);
    set(socket, IPPROTO_TCP, TCP_KEEPCNT, 4);
}

} // namespace

listener::listener(boost::asio::io_context& on, site& shared, const config::server& settings, const config::listener& at, role of)
    : shared_(shared)
    , settings_(settings)
    , at_(at)
    , role_(of)
    , connections_(of == role::operators ? shared.admin_connections : shared.connections)
    , acceptor_(on)
    , pause_(on)
{
    const auto refuse = [&](const std::error_code& why) {
        throw std::system_error(why, "cannot listen on " + config::to_string(at.at) + " (" + key_of(of) + ")" +
                                         (::sd_listen_fds(0) > 0 ? "; the sockets that systemd passes are of other addresses" : "") +
                                         what_to_do(why, at.at, of));
    };
    try {
        open();
    } catch (const boost::system::system_error& why) {
        refuse(why.code());
    } catch (const std::system_error& why) {
        refuse(why.code());
    }
}

void listener::open()
{
    if (at_.at.is_path()) {
        const std::string& path = at_.at.address;
        if (const auto passed = inherited([&](int each) { return ::sd_is_socket_unix(each, SOCK_STREAM, 1, path.c_str(), 0) > 0; })) {
            acceptor_.assign(unix_stream, *passed);
            return;
        }
        auto [made, file] = local_socket::listen(path, at_.mode, backlog);
        acceptor_.assign(unix_stream, made);
        file_ = std::move(file);
        return;
    }
    const tcp::endpoint endpoint = resolve(acceptor_.get_executor(), at_.at);
    if (const auto passed = inherited(
            [&](int each) { return ::sd_is_socket_sockaddr(each, SOCK_STREAM, endpoint.data(), static_cast<unsigned>(endpoint.size()), 1) > 0; })) {
        acceptor_.assign(endpoint.protocol(), *passed);
        return;
    }
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(acceptor::reuse_address(true));
    if (endpoint.address().is_v6() && has_twin(at_.at, settings_)) {
        acceptor_.set_option(boost::asio::ip::v6_only(true));
    }
    acceptor_.bind(endpoint);
    acceptor_.listen(backlog);
}

std::uint16_t listener::port() const
{
    if (at_.at.is_path()) {
        return 0;
    }
    const auto bound = acceptor_.local_endpoint();
    tcp::endpoint as_tcp;
    as_tcp.resize(bound.size());
    std::memcpy(as_tcp.data(), bound.data(), bound.size());
    return as_tcp.port();
}

void listener::close()
{
    error_code ignored;
    acceptor_.close(ignored);
    file_ = {};
    pause_.cancel();
}

// Whom trusted proxies connect for is known, and counted, later (connection.cpp).
core::result<session_count::place> listener::receive(const origin_address& from)
{
    if (role_ == role::clients && from && !is_trusted(from, settings_.proxies)) {
        if (auto within = shared_.connects.take(*from, settings_.limits.connects_per_second_per_address); !within) {
            return within.error();
        }
    }
    auto place = connections_.enter({}, {});
    if (!place) {
        return core::failure{place.error().code, "there are " + std::to_string(connections_.most()) + " connections, as many as there may be"};
    }
    return place;
}

// Tells the client as far as that goes without waiting for it.
void listener::turn_away(socket client, const origin_address& from, const core::failure& why)
{
    shared_.tell(observe::request_refused{"tcp", std::string(core::to_string(why.code)), why.message, {}, {}, to_string(from)});
    if (role_ == role::clients && settings_.certificate && at_.tls) {
        return; // it would have to be said in TLS
    }
    error_code ignored;
    client.non_blocking(true, ignored);
    client.send(boost::asio::buffer(to_http(refuse(why), {false, false, false, true})), MSG_NOSIGNAL, ignored);
    client.shutdown(socket::shutdown_send, ignored);
}

boost::asio::awaitable<void> listener::run(std::function<destination()> next)
{
    while (acceptor_.is_open()) {
        const destination where = next();
        auto [why, client] = co_await acceptor_.async_accept(where.context.get_executor(), as_result);
        if (!acceptor_.is_open()) {
            break;
        }
        if (why) {
            if (why != boost::asio::error::connection_aborted) {
                shared_.tell(observe::background_failed{"accepting connections", why.message()});
                pause_.expires_after(pause_after_error);
                co_await pause_.async_wait(as_result);
            }
            continue;
        }
        const auto peer = client.remote_endpoint(why);
        if (why) {
            continue; // gone already
        }
        const origin_address from = address_of(peer);
        auto place = receive(from);
        if (!place) {
            turn_away(std::move(client), from, place.error());
            continue;
        }
        if (!at_.at.is_path()) {
            tune(client.native_handle(), settings_.heartbeat);
        }
        where.take(std::move(client), std::move(*place));
    }
}

} // namespace rowcast::net
