#include "support/tls_tunnel.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <mutex>
#include <thread>

namespace rowcast::support {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

std::string name_in(X509* certificate)
{
    std::array<char, 200> name{};
    if (certificate != nullptr)
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(), name.size());
    return name.data();
}

}

struct tls_tunnel::state {
    explicit state(std::uint16_t to, int version) : server(asio::ip::address_v4::loopback(), to)
    {
        if (version != 0) {
            // Where 1.1 is asked for OpenSSL's own minimum must not stand in the way.
            SSL_CTX_set_security_level(tls.native_handle(), 0);
            SSL_CTX_set_min_proto_version(tls.native_handle(), version);
            SSL_CTX_set_max_proto_version(tls.native_handle(), version);
        }
        asio::co_spawn(context, accept(), asio::detached);
        thread = std::thread([this] { context.run(); });
    }
    ~state()
    {
        context.stop();
        thread.join();
    }

    asio::awaitable<void> accept()
    {
        for (;;) {
            auto [why, client] = co_await acceptor.async_accept(as_result);
            if (why)
                co_return;
            asio::co_spawn(context, tunnel(std::make_shared<tcp::socket>(std::move(client))), asio::detached);
        }
    }

    asio::awaitable<void> tunnel(std::shared_ptr<tcp::socket> client)
    {
        const auto there = std::make_shared<asio::ssl::stream<tcp::socket>>(context, tls);
        auto [refused] = co_await there->lowest_layer().async_connect(server, as_result);
        auto [failed] = co_await there->async_handshake(asio::ssl::stream_base::client, as_result);
        {
            const std::lock_guard lock(mutex);
            protocol = refused ? refused.message() : failed ? failed.message() : SSL_get_version(there->native_handle());
            name = name_in(SSL_get0_peer_certificate(there->native_handle()));
        }
        if (failed) {
            client->close();
            co_return;
        }
        asio::co_spawn(context, upstream(client, there), asio::detached);
        std::array<char, 16384> bytes;
        for (;;) {
            auto [ended_by, size] = co_await there->async_read_some(asio::buffer(bytes), as_result);
            if (ended_by) {
                const std::lock_guard lock(mutex);
                ++ended;
                cut_off += ended_by != asio::error::eof ? 1 : 0;
                break;
            }
            auto [gone, written] = co_await asio::async_write(*client, asio::buffer(bytes.data(), size), as_result);
            if (gone)
                break;
        }
        boost::system::error_code ignored;
        client->shutdown(tcp::socket::shutdown_send, ignored);
    }

    static asio::awaitable<void> upstream(std::shared_ptr<tcp::socket> client, std::shared_ptr<asio::ssl::stream<tcp::socket>> there)
    {
        std::array<char, 16384> bytes;
        for (;;) {
            auto [left, size] = co_await client->async_read_some(asio::buffer(bytes), as_result);
            if (left)
                break;
            auto [gone, written] = co_await asio::async_write(*there, asio::buffer(bytes.data(), size), as_result);
            if (gone)
                break;
        }
        boost::system::error_code ignored;
        there->lowest_layer().close(ignored);
    }

    const tcp::endpoint server;
    asio::io_context context{1};
    asio::ssl::context tls{asio::ssl::context::tls_client};
    tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), 0}};
    std::mutex mutex;
    std::string protocol;
    std::string name;
    int ended = 0;
    int cut_off = 0;
    std::thread thread;
};

tls_tunnel::tls_tunnel(std::uint16_t to, int version) : state_(std::make_unique<state>(to, version)) {}
tls_tunnel::~tls_tunnel() = default;

std::uint16_t tls_tunnel::port() const
{
    return state_->acceptor.local_endpoint().port();
}

std::string tls_tunnel::protocol() const
{
    const std::lock_guard lock(state_->mutex);
    return state_->protocol;
}

std::string tls_tunnel::server_name() const
{
    const std::lock_guard lock(state_->mutex);
    return state_->name;
}

int tls_tunnel::ended() const
{
    const std::lock_guard lock(state_->mutex);
    return state_->ended;
}

int tls_tunnel::cut_off() const
{
    const std::lock_guard lock(state_->mutex);
    return state_->cut_off;
}

}
