#include "counting_client.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

#include "support/eventually.hpp"
#include "support/loopback.hpp"
#include "support/websocket_frame.hpp"

namespace rowcast::bench {
namespace {

using support::client_frame;
using support::connect_to;
using support::header_size;
using support::payload_size;
using support::send_all;

// How every event begins (protocol::append_event); the rows of a benchmark must not contain it.
constexpr std::string_view mark = "{\"subs\":[";
constexpr std::size_t buffer_size = 256 * 1024;

} // namespace

counting_client::counting_client(std::uint16_t port, const std::string& table, const std::string& after) : socket_(connect_to(port))
{
    send_all(socket_, "GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
                          "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: rowcast.v1\r\n\r\n");
    std::string answer;
    for (char byte = 0; !answer.ends_with("\r\n\r\n"); answer += byte) {
        if (::recv(socket_, &byte, 1, 0) != 1) {
            throw std::runtime_error("no answer to the upgrade: " + answer);
        }
    }
    if (!answer.starts_with("HTTP/1.1 101")) {
        throw std::runtime_error("no WebSocket: " + answer);
    }
    nlohmann::json subscribe = {{"type", "subscribe"}, {"id", "b"}, {"table", table}};
    if (!after.empty()) {
        subscribe["after"] = after;
    }
    send_all(socket_, client_frame(support::text_frame, subscribe.dump()));
    while (status_.empty()) {
        const auto said = nlohmann::json::parse(read_message());
        if (said.at("type") == "subscribed") {
            status_ = said.at("status");
            cursor_ = said.at("cursor");
        } else if (said.at("type") == "error") {
            throw std::runtime_error("the subscription is refused: " + said.dump());
        }
    }
    keep_ = false;
    reader_ = std::thread([this] { run(); });
}

counting_client::~counting_client()
{
    ::shutdown(socket_, SHUT_RDWR);
    if (reader_.joinable()) {
        reader_.join();
    }
    ::close(socket_);
}

bool counting_client::await(std::size_t events, std::chrono::milliseconds within) const
{
    return support::eventually([&] { return events_ >= events; }, within);
}

// Byte by byte up to the end of the frame, so that nothing of the next one is taken; a few small messages only.
std::string counting_client::read_message()
{
    ended_ = false;
    message_.clear();
    while (!ended_) {
        char byte = 0;
        if (::recv(socket_, &byte, 1, 0) != 1) {
            throw std::runtime_error("the bridge has closed the connection");
        }
        take(&byte, 1);
    }
    return message_;
}

void counting_client::take(const char* data, std::size_t size)
{
    while (size > 0) {
        if (payload_left_ == 0) {
            header_ += *data++;
            --size;
            if (header_.size() < 2 || header_.size() < header_size(header_)) {
                continue;
            }
            payload_left_ = payload_size(header_);
        }
        const auto part = std::min<std::uint64_t>(size, payload_left_);
        take_payload({data, static_cast<std::size_t>(part)});
        data += part;
        size -= static_cast<std::size_t>(part);
        payload_left_ -= part;
        if (payload_left_ == 0) {
            ended_ = (static_cast<unsigned char>(header_[0]) & 0x80U) != 0;
            if (header_[0] == '\x89') {
                send_all(socket_, client_frame(support::pong_frame, "")); // a pong for the ping, which has no payload
            }
            header_.clear();
        }
    }
}

void counting_client::take_payload(std::string_view part)
{
    if (keep_) {
        message_ += part;
        return;
    }
    const auto count = [](std::string_view text) {
        std::size_t found = 0;
        for (auto at = text.find(mark); at != std::string_view::npos; at = text.find(mark, at + mark.size())) {
            ++found;
        }
        return found;
    };
    // The mark across the border lies within this: less than a mark before it and less than one behind it.
    const std::size_t most = mark.size() - 1;
    tail_ += part.substr(0, most);
    const std::size_t found = count(tail_) + count(part);
    if (found > 0) {
        last_came_ = std::chrono::steady_clock::now();
        events_ += found;
    }
    tail_ = part.size() >= most ? std::string(part.substr(part.size() - most)) : tail_.substr(tail_.size() - std::min(tail_.size(), most));
    bytes_ += part.size();
}

void counting_client::run()
try {
    std::vector<char> buffer(buffer_size);
    for (;;) {
        const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), 0);
        if (got <= 0) {
            return;
        }
        take(buffer.data(), static_cast<std::size_t>(got));
    }
} catch (const std::runtime_error&) {
    // Closed while it answered a ping: what is missing, `await` tells.
}

} // namespace rowcast::bench
