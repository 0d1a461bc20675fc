#include "support/websocket_frame.hpp"

namespace rowcast::support {
namespace {

std::string length_of(std::size_t size)
{
    return size < 126 ? big_endian(size, 1) : size < 65'536 ? '\x7e' + big_endian(size, 2) : '\x7f' + big_endian(size, 8);
}

}

std::string big_endian(std::uint64_t number, int bytes)
{
    std::string out;
    while (bytes-- > 0) {
        out += static_cast<char>(number >> (8 * bytes));
    }
    return out;
}

std::string frame_of_length(unsigned first, std::string length, std::string_view payload, mask how)
{
    std::string out(1, static_cast<char>(first));
    if (how == mask::no) {
        return out.append(length).append(payload);
    }
    length.front() = static_cast<char>(length.front() | 0x80);
    const std::string key = how == mask::zero ? std::string(4, '\0') : "\x37\xfa\x21\x3d";
    out += length + key;
    for (std::size_t i = 0; i < payload.size(); ++i) {
        out += static_cast<char>(payload[i] ^ key[i % 4]);
    }
    return out;
}

std::string frame(unsigned first, std::string_view payload, mask how)
{
    return frame_of_length(first, length_of(payload.size()), payload, how);
}

std::string client_frame(unsigned first, std::string_view payload)
{
    return frame(first, payload, mask::zero);
}

std::string server_frame(std::string_view payload)
{
    return frame(text_frame, payload, mask::no);
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
