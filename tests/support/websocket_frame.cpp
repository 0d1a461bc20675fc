#include "support/websocket_frame.hpp"

namespace rowcast::support {
namespace {

std::string frame(unsigned char first, unsigned masked, std::string_view payload)
{
    const int digits = payload.size() < 126 ? 0 : payload.size() < 65'536 ? 2 : 8;
    std::string out(1, static_cast<char>(first));
    out += static_cast<char>(masked | (digits == 0 ? payload.size() : digits == 2 ? 126U : 127U));
    for (int left = digits - 1; left >= 0; --left) {
        out += static_cast<char>(payload.size() >> 8 * left & 0xFF);
    }
    return out.append(masked != 0 ? 4 : 0, '\0').append(payload);
}

}

std::string client_frame(unsigned char first, std::string_view payload)
{
    return frame(first, 0x80, payload);
}

std::string server_frame(std::string_view payload)
{
    return frame(text_frame, 0, payload);
}

std::size_t header_size(std::string_view begun)
{
    const unsigned length = begun.size() < 2 ? 0 : static_cast<unsigned char>(begun[1]) & 0x7FU;
    return length == 126 ? 4 : length == 127 ? 10 : 2;
}

std::uint64_t payload_size(std::string_view header)
{
    std::uint64_t size = 0;
    for (const char byte : header.substr(header.size() == 2 ? 1 : 2)) {
        size = size << 8 | static_cast<unsigned char>(byte);
    }
    return size;
}

}
