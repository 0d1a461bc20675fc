#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/basic_stream.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "net/client_socket.hpp"

namespace rowcast::net {

// A connection with a client, in TLS or not, and what of it has been read ahead. For Asio an AsyncReadStream and AsyncWriteStream.
class channel {
public:
    using executor_type = client_socket::executor_type;

    channel(client_socket client, std::size_t most_ahead);

    executor_type get_executor() { return stream_.get_executor(); }

    template <class Buffers, class Token>
    auto async_read_some(const Buffers& into, Token&& token)
    {
        return tls_ ? tls_->async_read_some(into, std::forward<Token>(token)) : stream_.async_read_some(into, std::forward<Token>(token));
    }

    template <class Buffers, class Token>
    auto async_write_some(const Buffers& from, Token&& token)
    {
        return tls_ ? tls_->async_write_some(from, std::forward<Token>(token)) : stream_.async_write_some(from, std::forward<Token>(token));
    }

    // Writes all of it, in pieces that have so long each: a large text on a slow line is no reason to give up. Returns whether that was enough.
    boost::asio::awaitable<bool> write(std::string bytes, std::chrono::milliseconds for_a_piece);

    // For all reads and writes that begin from now on: they fail at that time.
    void expires_after(std::chrono::milliseconds time) { stream_.expires_after(time); }
    void expires_never() { stream_.expires_never(); }

    // TLS from here on (RFC 8446, 5246).
    enum class handshake { done, failed, not_tls };
    boost::asio::awaitable<handshake> secure(boost::asio::ssl::context& with, std::chrono::milliseconds within);

    // What the client has sent and nobody has asked for yet.
    boost::beast::flat_buffer& ahead() { return ahead_; }
    std::string take_ahead();

    // Ends when the client has left, while nothing is expected of it but the next request, which is kept.
    boost::asio::awaitable<void> leaving();

    // Tells the client that nothing more comes, and takes for a moment what is still on its way: closed with unread input a connection is
    // reset, and what was said last may be lost with it.
    boost::asio::awaitable<void> drain();

    // TLS's own goodbye, so that the client knows that nothing was cut off; without TLS nothing.
    boost::asio::awaitable<void> finish();
    template <class Token>
    auto async_shutdown(Token&& token) // there must be TLS
    {
        return tls_->async_shutdown(std::forward<Token>(token));
    }

    void cancel() { stream_.cancel(); }
    void close();

    bool is_secure() const { return tls_ != nullptr; }
    client_socket release() { return stream_.release_socket(); } // there must be none

private:
    using plain_stream = boost::beast::basic_stream<boost::asio::generic::stream_protocol, executor_type>;
    using tls_stream = boost::asio::ssl::stream<plain_stream&>;

    friend void beast_close_socket(channel& of) { of.close(); } // at a WebSocket's handshake that takes too long

    plain_stream stream_;
    std::unique_ptr<tls_stream> tls_; // it has buffers of 35 KB
    boost::beast::flat_buffer ahead_;
};

void close_socket(client_socket& client);

} // namespace rowcast::net
