#pragma once

#include <boost/asio/buffer.hpp>

#include <array>
#include <memory>
#include <utility>

#include "net/channel.hpp"

namespace rowcast::net {

// What a channel becomes that outlives HTTP, for days maybe and mostly without a word: its socket alone, for which no times are set; inside TLS the whole of it.
// For Asio an AsyncReadStream and AsyncWriteStream.
class line {
public:
    using executor_type = channel::executor_type;

    explicit line(std::unique_ptr<channel> from)
        : secured_(from->is_secure() ? std::move(from) : nullptr)
        , socket_(secured_ ? client_socket(secured_->get_executor()) : from->release())
    {
    }

    executor_type get_executor() { return socket_.get_executor(); }

    template <class Buffers, class Token>
    auto async_read_some(const Buffers& into, Token&& token)
    {
        return secured_ ? secured_->async_read_some(into, std::forward<Token>(token)) : socket_.async_read_some(into, std::forward<Token>(token));
    }

    template <class Buffers, class Token>
    auto async_write_some(const Buffers& from, Token&& token)
    {
        return secured_ ? secured_->async_write_some(from, std::forward<Token>(token)) : socket_.async_write_some(from, std::forward<Token>(token));
    }

    // As much as the socket takes without waiting; returns how much. Nothing inside TLS, and where it is broken: a write that waits will say why.
    template <class Buffers>
    std::size_t write_at_once(const Buffers& from)
    {
        if (secured_) {
            return 0;
        }
        // Of several buffers the kernel takes longer to hear than little takes to copy.
        std::array<char, 2048> together;
        boost::system::error_code why;
        const std::size_t size = boost::asio::buffer_size(from) <= together.size()
                                     ? socket_.send(boost::asio::buffer(together, boost::asio::buffer_copy(boost::asio::buffer(together), from)), 0, why)
                                     : socket_.send(from, 0, why);
        return why ? 0 : size;
    }

    // TLS's goodbye, until the client has answered it or gone. Nothing else may be under way.
    bool is_secure() const { return secured_ != nullptr; }
    template <class Token>
    auto async_shutdown(Token&& token)
    {
        return secured_->async_shutdown(std::forward<Token>(token));
    }

    // The same without TLS: the client reads an end.
    void end_sending()
    {
        boost::system::error_code why;
        socket_.shutdown(client_socket::shutdown_send, why);
    }

    void close() { secured_ ? secured_->close() : close_socket(socket_); }

private:
    std::unique_ptr<channel> secured_;
    client_socket socket_; // without TLS
};

} // namespace rowcast::net
