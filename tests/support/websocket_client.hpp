#pragma once

#include "support/eventually.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace rowcast::support {

/// A WebSocket to 127.0.0.1, for tests: JSON in, JSON out, every wait with a limit.
class websocket_client {
public:
    using headers = std::map<std::string, std::string>;

    /// Throws when the handshake is refused; the message has the status line and the body.
    /// With a `receive_buffer` of that many bytes, so that it is soon full; 0: the kernel's choice.
    explicit websocket_client(std::uint16_t port, std::string_view target = "/v1/ws", const headers& extra = {}, int receive_buffer = 0);
    ~websocket_client();
    websocket_client(websocket_client&&) noexcept;
    websocket_client& operator=(websocket_client&&) noexcept;

    void send(const nlohmann::json& message);
    void send_text(std::string_view text);

    /// The next message; nothing once the server has closed. Throws when none comes in time.
    std::optional<nlohmann::json> receive(std::chrono::milliseconds within = patience);

    /// The next message of that type; others are dropped. Throws when the server closes or the time is over.
    nlohmann::json await(std::string_view type, std::chrono::milliseconds within = patience);

    /// The close code, once `receive` has returned nothing.
    unsigned close_code() const;

    /// The close code, when the server has closed; messages before that are dropped.
    unsigned await_close();

    void close();

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// A session with that token, which has been taken.
websocket_client connect_as(std::uint16_t port, const std::string& token);

}
