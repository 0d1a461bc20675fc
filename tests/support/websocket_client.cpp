#include "support/websocket_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket.hpp>

#include <stdexcept>

namespace rowcast::support {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;

}

struct websocket_client::state {
    asio::io_context context;
    websocket::stream<asio::ip::tcp::socket> socket{context};
    beast::flat_buffer buffer;

    // Runs an asynchronous operation to its end, or throws.
    template <class Start>
    beast::error_code complete(Start start, std::chrono::milliseconds within)
    {
        std::optional<beast::error_code> done;
        start([&done](beast::error_code error, auto...) { done = error; });
        context.restart();
        const auto deadline = std::chrono::steady_clock::now() + within;
        while (!done && context.run_one_until(deadline) != 0) {
        }
        if (!done) {
            beast::get_lowest_layer(socket).cancel();
            while (!done && context.run_one_for(patience) != 0) {
            }
            throw std::runtime_error("WebSocket: nothing came within " + std::to_string(within.count()) + " ms");
        }
        return *done;
    }
};

websocket_client::websocket_client(std::uint16_t port, std::string_view target, const headers& extra, int receive_buffer)
    : state_(std::make_unique<state>())
{
    auto& socket = state_->socket;
    socket.next_layer().open(asio::ip::tcp::v4());
    if (receive_buffer > 0) {
        socket.next_layer().set_option(asio::socket_base::receive_buffer_size(receive_buffer));
    }
    socket.next_layer().connect({asio::ip::address_v4::loopback(), port});
    socket.next_layer().set_option(asio::ip::tcp::no_delay(true));
    socket.read_message_max(64 * 1024 * 1024);
    socket.set_option(websocket::stream_base::decorator([&extra](websocket::request_type& request) {
        for (const auto& [name, value] : extra) {
            request.set(name, value);
        }
    }));
    websocket::response_type response;
    const auto error = state_->complete(
        [&](auto handler) { socket.async_handshake(response, "127.0.0.1:" + std::to_string(port), target, std::move(handler)); }, patience);
    if (error) {
        throw std::runtime_error("WebSocket handshake: " + error.message() + ", status " + std::to_string(response.result_int()) + " " +
                                 response.body());
    }
    socket.text(true);
}

websocket_client::~websocket_client() = default;
websocket_client::websocket_client(websocket_client&&) noexcept = default;
websocket_client& websocket_client::operator=(websocket_client&&) noexcept = default;

void websocket_client::send(const nlohmann::json& message)
{
    send_text(message.dump());
}

void websocket_client::send_text(std::string_view text)
{
    const auto error =
        state_->complete([&](auto handler) { state_->socket.async_write(asio::buffer(text), std::move(handler)); }, patience);
    if (error) {
        throw std::runtime_error("WebSocket write: " + error.message());
    }
}

std::optional<nlohmann::json> websocket_client::receive(std::chrono::milliseconds within)
{
    const auto error =
        state_->complete([&](auto handler) { state_->socket.async_read(state_->buffer, std::move(handler)); }, within);
    if (error) {
        return std::nullopt;
    }
    auto message = nlohmann::json::parse(beast::buffers_to_string(state_->buffer.data()));
    state_->buffer.clear();
    return message;
}

nlohmann::json websocket_client::await(std::string_view type, std::chrono::milliseconds within)
{
    const auto deadline = std::chrono::steady_clock::now() + within;
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        auto message = receive(std::max(left, std::chrono::milliseconds(1)));
        if (!message) {
            throw std::runtime_error("closed with " + std::to_string(close_code()) + " before a message of type " + std::string(type));
        }
        if (message->value("type", "") == type) {
            return *message;
        }
    }
}

unsigned websocket_client::close_code() const
{
    return state_->socket.reason().code;
}

unsigned websocket_client::await_close()
{
    while (receive()) {
    }
    return close_code();
}

void websocket_client::close()
{
    state_->complete([&](auto handler) { state_->socket.async_close(websocket::close_code::normal, std::move(handler)); }, patience);
}

websocket_client connect_as(std::uint16_t port, const std::string& token)
{
    websocket_client client(port, "/v1/ws", {{"Authorization", "Bearer " + token}});
    client.await("authenticated");
    return client;
}

}
