#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rowcast::support {

// Frames of a WebSocket by hand (RFC 6455 section 5.2), for crowds that must cost little and attackers that must not be right.

// First bytes of whole frames.
constexpr unsigned text_frame = 0x81;
constexpr unsigned close_frame = 0x88;
constexpr unsigned pong_frame = 0x8A;

enum class mask { yes, no, zero };

std::string frame(unsigned first, std::string_view payload = "", mask how = mask::yes);

/// `length` as it stands in the frame, whatever the payload is; with the bit for the mask if need be.
std::string frame_of_length(unsigned first, std::string length, std::string_view payload, mask how = mask::yes);

/// As clients send them, whose mask is zero: masks protect proxies, and there is none.
std::string client_frame(unsigned first, std::string_view payload);
std::string server_frame(std::string_view payload);

std::string big_endian(std::uint64_t number, int bytes);

/// Length of a server's frame header, as far as it can be told from what has come of it.
std::size_t header_size(std::string_view begun);
std::uint64_t payload_size(std::string_view header);

}
