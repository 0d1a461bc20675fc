#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/write.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "net/channel.hpp"

namespace rowcast::net {

// A channel with two who write: Beast its control frames, the session its messages. Every write leaves whole before the next one begins, in the
// order of the calls.
class frame_channel {
public:
    using executor_type = channel::executor_type;

    explicit frame_channel(channel& below) : below_(below) {}

    executor_type get_executor() { return below_.get_executor(); }

    template <class Buffers, class Token>
    auto async_read_some(const Buffers& into, Token&& token)
    {
        return below_.async_read_sometime(into, std::forward<Token>(token));
    }

    // Writes not some but all of it.
    template <class Buffers, class Token>
    auto async_write_some(const Buffers& from, Token&& token)
    {
        const auto begin = [this](auto handler, const Buffers& bytes) { this->write_in_turn(bytes, std::move(handler)); };
        return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(begin, token, from);
    }

    // As much as the socket takes without waiting; returns how much. Nothing while another write is under way.
    template <class Buffers>
    std::size_t write_at_once(const Buffers& from)
    {
        return waiting_.expired() ? below_.write_at_once(from) : 0;
    }

private:
    using waiting_writes = std::vector<std::function<void()>>;

    template <class Buffers, class Handler>
    void write_in_turn(const Buffers& from, Handler handler)
    {
        if (const auto others = waiting_.lock()) {
            others->push_back([this, from, mine = std::make_shared<Handler>(std::move(handler))] { write_in_turn(from, std::move(*mine)); });
            return;
        }
        const auto others = std::make_shared<waiting_writes>();
        waiting_ = others;
        boost::asio::async_write(below_, from, [this, others, handler = std::move(handler)](boost::system::error_code why, std::size_t size) mutable {
            waiting_.reset();
            for (const auto& begin : *others) {
                begin(); // the first does, the rest waits for it
            }
            std::move(handler)(why, size);
        });
    }

    // That it fails, as inside TLS when the client does not wait for it, is nothing to tell: else that would stand in the place of how the WebSocket ended.
    template <class Handler>
    friend void async_teardown(boost::beast::role_type role, frame_channel& of, Handler handler)
    {
        async_teardown(role, of.below_, [handler = std::move(handler)](boost::system::error_code) mutable { std::move(handler)(boost::system::error_code()); });
    }
    friend void beast_close_socket(frame_channel& of) { of.below_.close(); }

    channel& below_;
    std::weak_ptr<waiting_writes> waiting_; // for the write that is under way, which owns them
};

} // namespace rowcast::net
