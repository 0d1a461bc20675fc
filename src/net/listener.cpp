#include "net/listener.hpp"

#include <boost/asio/io_context.hpp>

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <optional>
#include <system_error>

#include "net/answer.hpp"
#include "net/wakeup.hpp"

namespace rowcast::net {
namespace {

using tcp = boost::asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

// Out of descriptors or memory: some are freed as sessions end, so go on after a while.
constexpr auto pause_after_error = 100ms;
constexpr std::size_t most_addresses = 10'000;
constexpr int burst_seconds = 4;

tcp::endpoint resolve(boost::asio::io_context& on, const config::endpoint& at, const std::string& key)
{
    error_code why;
    tcp::resolver resolver(on);
    const auto found = resolver.resolve(at.address, std::to_string(at.port), tcp::resolver::passive, why);
    if (why) {
        throw std::system_error(std::error_code(why), "cannot find the address '" + at.address + "' to listen on (" + key + ")");
    }
    return *found.begin();
}

// The socket for that address which whoever started this process has opened already, if any: clients who come during a
// restart wait in it (systemd's socket activation, sd_listen_fds(3)).
std::optional<int> inherited(const tcp::endpoint& wanted)
{
    for (int each = SD_LISTEN_FDS_START; each < SD_LISTEN_FDS_START + ::sd_listen_fds(0); ++each) {
        if (::sd_is_socket_sockaddr(each, SOCK_STREAM, wanted.data(), static_cast<unsigned>(wanted.size()), 1) > 0) {
            return each;
        }
    }
    return std::nullopt;
}

// Each bridge of a machine has its own.
std::string what_to_do(const std::string& key)
{
    return "; another program, perhaps another bridge, has it: give " + key + " another port" +
           (key == "server.admin" ? ", or `off` where nobody needs metrics and calls" : "");
}

tcp::acceptor listen(boost::asio::io_context& on, const config::endpoint& at, const std::string& key)
{
    const tcp::endpoint endpoint = resolve(on, at, key);
    tcp::acceptor acceptor(on);
    try {
        if (const auto socket = inherited(endpoint)) {
            acceptor.assign(endpoint.protocol(), ::fcntl(*socket, F_DUPFD_CLOEXEC, 0));
            return acceptor;
        }
        acceptor.open(endpoint.protocol());
        acceptor.set_option(tcp::acceptor::reuse_address(true));
        acceptor.bind(endpoint);
        acceptor.listen(4096);
    } catch (const boost::system::system_error& why) {
        const bool taken = why.code() == boost::asio::error::address_in_use;
        throw std::system_error(std::error_code(why.code()),
                                "cannot listen on " + at.address + " port " + std::to_string(at.port) + " (" + key + ")" +
                                    (::sd_listen_fds(0) > 0 ? "; the sockets that systemd passes are of other addresses" : "") +
                                    (taken ? what_to_do(key) : ""));
    }
    return acceptor;
}

void set(int socket, int level, int name, int value)
{
    // Each of them only makes things better: what the kernel does not know is left out.
    ::setsockopt(socket, level, name, &value, sizeof value);
}

void tune(tcp::socket& client, std::chrono::milliseconds heartbeat)
{
    const int socket = client.native_handle();
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

listener::listener(boost::asio::io_context& on, site& shared, const config::server& settings, const config::endpoint& at, const char* key,
                   session_count& connections)
    : shared_(shared), settings_(settings), connections_(connections), acceptor_(listen(on, at, key)), pause_(on)
{
}

std::uint16_t listener::port() const
{
    return acceptor_.local_endpoint().port();
}

void listener::close()
{
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
}

bool listener::is_welcome(const tcp::socket& client)
{
    error_code why;
    const auto peer = client.remote_endpoint(why);
    if (why) {
        return false; // gone already
    }
    const auto now = std::chrono::steady_clock::now();
    if (addresses_.size() >= most_addresses) {
        std::erase_if(addresses_, [&](const auto& entry) { return entry.second.is_full(now); });
        if (addresses_.size() >= most_addresses) {
            addresses_.clear(); // a flood from everywhere: this limit is not the one that stops it
        }
    }
    const std::size_t most = settings_.limits.connects_per_second_per_address;
    if (!addresses_.try_emplace(peer.address(), most, most * burst_seconds).first->second.take(now)) {
        shared_.tell(observe::request_refused{"tcp", "too_many_sessions", "too many connections a second from " + peer.address().to_string()});
        return false;
    }
    return true;
}

// Tells the client as far as that goes without waiting for it.
void listener::turn_away(tcp::socket client, const core::failure& why)
{
    shared_.tell(observe::request_refused{"tcp", "too_many_sessions", "no file descriptor to spare"});
    if (settings_.certificate) {
        return; // it would have to be said in TLS
    }
    error_code ignored;
    client.non_blocking(true, ignored);
    client.send(boost::asio::buffer(to_http(refuse(why), {false, false, false, true})), MSG_NOSIGNAL, ignored);
    client.shutdown(tcp::socket::shutdown_send, ignored);
}

boost::asio::awaitable<void> listener::run(std::function<destination()> next)
{
    while (acceptor_.is_open()) {
        const destination where = next();
        const boost::asio::any_io_executor there = where.context.get_executor();
        auto [why, client] = co_await acceptor_.async_accept(there, as_result);
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
        if (!is_welcome(client)) {
            continue;
        }
        auto place = connections_.enter({});
        if (!place) {
            turn_away(std::move(client), place.error());
            continue;
        }
        tune(client, settings_.heartbeat);
        where.take(std::move(client), std::move(*place));
    }
}

} // namespace rowcast::net
