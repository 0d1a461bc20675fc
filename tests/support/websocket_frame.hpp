#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rowcast::support {

// Frames of a WebSocket by hand (RFC 6455 section 5.2), for crowds that must cost little and attackers that must not be right.

// First bytes of whole frames.
constexpr unsigned char text_frame = 0x81;
constexpr unsigned char close_frame = 0x88;
constexpr unsigned char pong_frame = 0x8A;

/// As clients send them, whose mask is zero: masks protect proxies, and there is none.
std::string client_frame(unsigned char first, std::string_view payload);
std::string server_frame(std::string_view payload);

/// Length of a server's frame header, as far as it can be told from what has come of it.
std::size_t header_size(std::string_view begun);
std::uint64_t payload_size(std::string_view header);

}
