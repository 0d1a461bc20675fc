#include "net/channel.hpp"

#include <boost/asio/write.hpp>

#include <algorithm>

#include "net/wakeup.hpp"

namespace rowcast::net {
namespace {

using namespace std::chrono_literals;
using boost::asio::awaitable;
using boost::system::error_code;

constexpr std::size_t read_size = 4096;
constexpr std::size_t most_drained = 256 * 1024;
constexpr std::size_t piece = 64 * 1024;
constexpr auto parting_time = 1s;
constexpr unsigned char handshake_record = 22; // RFC 8446, 5.1

} // namespace

channel::channel(client_socket client, std::size_t most_ahead) : stream_(std::move(client)), ahead_(most_ahead)
{
    error_code ignored;
    stream_.socket().non_blocking(true, ignored); // for line::write_at_once
}

awaitable<channel::handshake> channel::secure(boost::asio::ssl::context& with, std::chrono::milliseconds within)
{
    expires_after(within);
    if (ahead_.size() == 0) {
        auto [nothing, size] = co_await stream_.async_read_some(ahead_.prepare(read_size), as_result);
        if (nothing) {
            co_return handshake::failed;
        }
        ahead_.commit(size);
    }
    if (*static_cast<const unsigned char*>(ahead_.data().data()) != handshake_record) {
        co_return handshake::not_tls;
    }
    tls_ = std::make_unique<tls_stream>(stream_, with);
    auto [why, used] = co_await tls_->async_handshake(boost::asio::ssl::stream_base::server, ahead_.data(), as_result);
    ahead_.consume(used);
    expires_never();
    co_return why ? handshake::failed : handshake::done;
}

awaitable<bool> channel::write(std::string bytes, std::chrono::milliseconds for_a_piece)
{
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        expires_after(for_a_piece);
        const auto part = boost::asio::buffer(bytes.data() + at, std::min(piece, bytes.size() - at));
        auto [why, size] = co_await boost::asio::async_write(*this, part, as_result);
        if (why) {
            co_return false;
        }
    }
    expires_never();
    co_return true;
}

awaitable<void> channel::leaving()
{
    // A pipelined request has its turn; that the client leaves after it is noticed then.
    if (ahead_.size() == 0) {
        auto [why, size] = co_await async_read_some(ahead_.prepare(read_size), as_result);
        if (why) {
            co_return;
        }
        ahead_.commit(size);
    }
    wakeup never(get_executor());
    co_await never.wait();
}

awaitable<void> channel::drain()
{
    if (!tls_) {
        error_code ignored;
        stream_.socket().shutdown(client_socket::shutdown_send, ignored);
    }
    expires_after(parting_time);
    ahead_.clear();
    for (std::size_t left = most_drained; left > 0;) {
        auto [why, size] = co_await async_read_some(ahead_.prepare(read_size), as_result);
        if (why) {
            break;
        }
        left -= std::min(left, size);
    }
}

awaitable<void> channel::finish()
{
    if (tls_ && stream_.socket().is_open()) {
        expires_after(parting_time);
        co_await tls_->async_shutdown(as_result);
    }
}

void channel::close()
{
    stream_.cancel();
    close_socket(stream_.socket());
}

std::string channel::take_ahead()
{
    std::string taken(static_cast<const char*>(ahead_.data().data()), ahead_.size());
    ahead_.clear();
    ahead_.shrink_to_fit();
    return taken;
}

void close_socket(client_socket& client)
{
    error_code ignored;
    client.shutdown(client_socket::shutdown_both, ignored);
    client.close(ignored);
}

} // namespace rowcast::net
