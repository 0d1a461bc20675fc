#include "support/http_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace rowcast::support {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

http_client::headers lower(const http::fields& fields)
{
    http_client::headers all;
    for (const auto& field : fields) {
        std::string name(field.name_string());
        std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        all[name] = std::string(field.value());
    }
    return all;
}

}

struct http_client::state {
    asio::io_context context;
    asio::ip::tcp::socket socket{context};
    beast::flat_buffer buffer;
    std::uint16_t port = 0;
    std::optional<http::response_parser<http::string_body>> stream;
    std::size_t taken = 0; // of the stream's body

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
            socket.cancel();
            while (!done && context.run_one_for(patience) != 0) {
            }
            throw std::runtime_error("HTTP: nothing came within " + std::to_string(within.count()) + " ms");
        }
        return *done;
    }

    void send(std::string_view method, std::string_view target, const headers& extra, std::string_view body)
    {
        http::request<http::string_body> request;
        request.version(11);
        request.method_string(method);
        request.target(target);
        request.set(http::field::host, "127.0.0.1:" + std::to_string(port));
        for (const auto& [name, value] : extra) {
            request.set(name, value);
        }
        request.body() = body;
        request.prepare_payload();
        if (const auto error = complete([&](auto handler) { http::async_write(socket, request, std::move(handler)); }, patience)) {
            throw std::runtime_error("HTTP write: " + error.message());
        }
    }
};

http_client::http_client(std::uint16_t port, int receive_buffer) : state_(std::make_unique<state>())
{
    state_->port = port;
    state_->socket.open(asio::ip::tcp::v4());
    if (receive_buffer > 0) {
        state_->socket.set_option(asio::socket_base::receive_buffer_size(receive_buffer));
    }
    state_->socket.connect({asio::ip::address_v4::loopback(), port});
    state_->socket.set_option(asio::ip::tcp::no_delay(true));
}

http_client::~http_client() = default;
http_client::http_client(http_client&&) noexcept = default;
http_client& http_client::operator=(http_client&&) noexcept = default;

http_client::answer http_client::get(std::string_view target, const headers& extra, std::chrono::milliseconds within)
{
    return request("GET", target, extra, "", within);
}

http_client::answer http_client::request(std::string_view method, std::string_view target, const headers& extra, std::string_view body,
                                         std::chrono::milliseconds within)
{
    state_->send(method, target, extra, body);
    http::response_parser<http::string_body> parser;
    parser.body_limit(256 * 1024 * 1024);
    parser.skip(method == "HEAD");
    if (const auto error = state_->complete([&](auto handler) { http::async_read(state_->socket, state_->buffer, parser, std::move(handler)); }, within)) {
        throw std::runtime_error("HTTP read: " + error.message());
    }
    return {parser.get().result_int(), lower(parser.get()), parser.get().body()};
}

http_client::answer http_client::open_stream(std::string_view target, const headers& extra)
{
    state_->send("GET", target, extra, "");
    auto& parser = state_->stream.emplace();
    parser.body_limit(boost::none);
    if (const auto error =
            state_->complete([&](auto handler) { http::async_read_header(state_->socket, state_->buffer, parser, std::move(handler)); }, patience)) {
        throw std::runtime_error("HTTP read: " + error.message());
    }
    return {parser.get().result_int(), lower(parser.get()), ""};
}

std::optional<http_client::event> http_client::next_event(std::chrono::milliseconds within)
{
    auto& parser = *state_->stream;
    for (;;) {
        std::string& body = parser.get().body();
        const std::size_t end = body.find("\n\n", state_->taken);
        if (end != std::string::npos) {
            event found{"message", "", std::nullopt};
            bool any = false;
            std::size_t at = state_->taken;
            while (at < end + 1) {
                const std::size_t line_end = body.find('\n', at);
                const std::string line = body.substr(at, line_end - at);
                at = line_end + 1;
                const auto value = [&](std::string_view name) { return line.substr(name.size()); };
                if (line.starts_with("event: ")) {
                    found.name = value("event: ");
                } else if (line.starts_with("data: ")) {
                    found.data += (any ? "\n" : "") + value("data: ");
                    any = true;
                } else if (line.starts_with("id: ")) {
                    found.id = value("id: ");
                }
            }
            state_->taken = end + 2;
            if (state_->taken > 1 << 20) {
                body.erase(0, state_->taken);
                state_->taken = 0;
            }
            if (any) {
                return found;
            }
            continue;
        }
        if (parser.is_done()) {
            return std::nullopt;
        }
        const auto error = state_->complete([&](auto handler) { http::async_read_some(state_->socket, state_->buffer, parser, std::move(handler)); }, within);
        if (error) {
            return std::nullopt;
        }
    }
}

}
