#include "protocol/websocket_frame.hpp"

#include <algorithm>

#include "protocol/utf8.hpp"

namespace rowcast::protocol {
namespace {

using violation = frame_reader::violation;

constexpr std::size_t most_of_control = 125; // 5.5

violation wrong(std::string_view what)
{
    return {close_number::protocol_error, what};
}

// Whether an endpoint may send it (7.4.1, 7.4.2, and IANA's registry of close codes up to 1014).
bool may_be_sent(std::uint16_t code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

} // namespace

std::size_t put_header(frame_header& into, opcode kind, std::uint64_t size)
{
    const std::size_t length = size < 126 ? 0 : size <= 0xFFFF ? 2 : 8; // bytes of it that follow
    into[0] = static_cast<unsigned char>(0x80 | static_cast<unsigned char>(kind));
    into[1] = static_cast<unsigned char>(length == 0 ? size : length == 2 ? 126 : 127);
    for (std::size_t i = 0; i < length; ++i) {
        into[2 + i] = static_cast<unsigned char>(size >> (8 * (length - 1 - i)));
    }
    return 2 + length;
}

std::string close_payload(std::uint16_t code, std::string_view reason)
{
    reason = reason.substr(0, most_of_control - 2);
    reason = reason.substr(0, whole_characters(reason).value_or(0));
    return std::string{static_cast<char>(code >> 8), static_cast<char>(code)}.append(reason);
}

frame_reader::outcome frame_reader::next(std::string_view& bytes)
{
    let_go();
    while (!bytes.empty()) {
        std::optional<violation> found;
        if (is_in_payload()) {
            found = take_payload(bytes);
        } else {
            found = take_header(static_cast<unsigned char>(bytes.front()));
            bytes.remove_prefix(1);
        }
        if (found) {
            return *found;
        }
        if (is_in_payload() && left_ == 0) {
            header_size_ = 0;
            if (outcome whole = end_frame(); !std::holds_alternative<nothing>(whole)) {
                return whole;
            }
        }
    }
    return nothing{};
}

// What the last outcome pointed to.
void frame_reader::let_go()
{
    payload_.resize(payload_.size() - given_);
    given_ = 0;
    if (payload_.empty()) {
        payload_.shrink_to_fit();
    }
}

// Bytes of the length behind the first seven bits of it (5.2).
std::size_t frame_reader::length_size() const
{
    const unsigned short_one = header_[1] & 0x7F;
    return short_one == 127 ? 8 : short_one == 126 ? 2 : 0;
}

std::optional<violation> frame_reader::take_header(unsigned char byte)
{
    header_[header_size_++] = byte;
    if (header_size_ == 1) {
        return begin_frame();
    }
    if (header_size_ == 2 && (byte & 0x80) == 0) {
        return wrong("a frame is not masked"); // 5.1
    }
    if (header_size_ == 2 && is_control() && length_size() > 0) {
        return wrong("a control frame is longer than 125 bytes"); // 5.5
    }
    return header_size_ == whole_header() ? begin_payload() : std::nullopt;
}

std::optional<violation> frame_reader::begin_frame() const
{
    if ((header_[0] & 0x70) != 0) {
        return wrong("a reserved bit is set"); // 5.2
    }
    switch (kind()) {
    case opcode::text:
    case opcode::binary:
        return message_ == opcode::continuation ? std::nullopt : std::optional(wrong("a message begins inside another one")); // 5.4
    case opcode::continuation:
        return message_ == opcode::continuation ? std::optional(wrong("a message goes on that has not begun")) : std::nullopt; // 5.4
    case opcode::close:
    case opcode::ping:
    case opcode::pong:
        return is_final() ? std::nullopt : std::optional(wrong("a control frame is fragmented")); // 5.5
    }
    return wrong("an opcode has no meaning"); // 5.2
}

std::optional<violation> frame_reader::begin_payload()
{
    const std::size_t bytes = length_size();
    std::uint64_t size = bytes == 0 ? header_[1] & 0x7F : 0;
    for (std::size_t i = 0; i < bytes; ++i) {
        size = size << 8 | header_[2 + i];
    }
    if (size < (bytes == 8 ? 0x10000 : bytes == 2 ? 126 : 0)) {
        return wrong("a length takes more bytes than it needs"); // 5.2
    }
    if (!is_control()) {
        if (size > most_ - payload_.size()) { // with the highest of 64 bits too, which 5.2 forbids
            return violation{close_number::too_big, "message_too_large"};
        }
        message_ = kind() == opcode::continuation ? message_ : kind();
    }
    left_ = static_cast<std::size_t>(size);
    masked_ = 0;
    return std::nullopt;
}

std::optional<violation> frame_reader::take_payload(std::string_view& bytes)
{
    const unsigned char* const key = header_.data() + header_size_ - 4; // 5.3
    const std::size_t size = std::min(left_, bytes.size());
    const std::size_t at = payload_.size();
    payload_.append(bytes.substr(0, size));
    bytes.remove_prefix(size);
    for (std::size_t i = 0; i < size; ++i) {
        payload_[at + i] = static_cast<char>(payload_[at + i] ^ key[(masked_ + i) % 4]);
    }
    masked_ += size;
    left_ -= size;
    if (!is_control() && message_ == opcode::text) {
        const auto whole = whole_characters(std::string_view(payload_).substr(checked_));
        if (!whole) {
            return violation{close_number::not_utf8, "a text is not UTF-8"}; // 8.1
        }
        checked_ += *whole;
    }
    return std::nullopt;
}

frame_reader::outcome frame_reader::end_frame()
{
    if (is_control()) {
        given_ = header_[1] & 0x7F;
        return end_control(std::string_view(payload_).substr(payload_.size() - given_));
    }
    if (!is_final()) {
        return nothing{};
    }
    const bool is_text = message_ == opcode::text;
    if (is_text && checked_ != payload_.size()) {
        return violation{close_number::not_utf8, "a text ends inside a character"}; // 8.1
    }
    message_ = opcode::continuation;
    checked_ = 0;
    given_ = payload_.size();
    return message{is_text, payload_};
}

frame_reader::outcome frame_reader::end_control(std::string_view payload) const
{
    if (kind() == opcode::ping) {
        return ping{payload};
    }
    if (kind() == opcode::pong) {
        return pong{};
    }
    if (payload.empty()) {
        return close{};
    }
    if (payload.size() == 1) {
        return wrong("a close has half a code"); // 5.5.1
    }
    const auto code = static_cast<std::uint16_t>(static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]));
    if (!may_be_sent(code)) {
        return wrong("a close has a code that nobody may send"); // 7.4
    }
    if (!is_utf8(payload.substr(2))) {
        return wrong("a close has a reason that is not UTF-8"); // 5.5.1
    }
    return close{code, payload.substr(2)};
}

} // namespace rowcast::protocol
