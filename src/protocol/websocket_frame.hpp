#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace rowcast::protocol {

// The frames of a WebSocket from a server's side (RFC 6455), without extensions. Sections are its own.

enum class opcode : unsigned char { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 }; // 5.2

// Of the standard's codes (7.4.1) those that frames themselves bring about; core::close_code has what conversations end with.
namespace close_number {
inline constexpr std::uint16_t normal = 1000, protocol_error = 1002, none_given = 1005, abnormal = 1006, not_utf8 = 1007, too_big = 1009;
}

using frame_header = std::array<unsigned char, 10>;

// The header of a whole frame with a payload of that size. Returns how long it is.
std::size_t put_header(frame_header& into, opcode kind, std::uint64_t size);

// The payload of a close (5.5.1); of a reason that is too long, as many characters as there is room for.
std::string close_payload(std::uint16_t code, std::string_view reason);

// Takes what a client sends, in pieces of any size, and gives it back in whole things. What has come of one that is not whole is kept, and nothing else.
class frame_reader {
public:
    struct nothing {}; // more has to come
    struct message { // whatever its fragments (5.4)
        bool is_text = true; // and UTF-8, which is looked at as it comes (8.1)
        std::string_view bytes;
    };
    struct ping {
        std::string_view payload;
    };
    struct pong {};
    struct close {
        std::uint16_t code = close_number::none_given;
        std::string_view reason;
    };
    struct violation { // the code to close with
        std::uint16_t code;
        std::string_view what;
    };
    using outcome = std::variant<nothing, message, ping, pong, close, violation>;

    // Of a message that is longer it is enough that its header says so.
    explicit frame_reader(std::size_t most) : most_(most) {}

    // Takes from the front of `bytes`; nothing: all of them. What the outcome points to is valid until the next call. Not to be called after a violation.
    outcome next(std::string_view& bytes);

    // Nothing has begun that has not ended.
    bool is_between_messages() const { return header_size_ == 0 && message_ == opcode::continuation; }

private:
    opcode kind() const { return static_cast<opcode>(header_[0] & 0x0F); }
    bool is_final() const { return (header_[0] & 0x80) != 0; }
    bool is_control() const { return (header_[0] & 0x08) != 0; }
    bool is_in_payload() const { return header_size_ > 1 && header_size_ == whole_header(); }
    std::size_t length_size() const;
    std::size_t whole_header() const { return 2 + length_size() + 4; }

    std::optional<violation> take_header(unsigned char byte);
    std::optional<violation> begin_frame() const;
    std::optional<violation> begin_payload();
    std::optional<violation> take_payload(std::string_view& bytes);
    outcome end_frame();
    outcome end_control(std::string_view payload) const;
    void let_go();

    std::size_t most_;
    std::array<unsigned char, 14> header_{}; // of the frame that has begun
    unsigned char header_size_ = 0;          // as much of it as there is
    opcode message_ = opcode::continuation;  // what has begun; continuation: nothing has
    std::size_t left_ = 0;                   // of the frame's payload
    std::size_t masked_ = 0;                 // what has come of it: where its mask goes on
    std::size_t checked_ = 0;                // of a text: whole characters
    std::string payload_;                    // the message's so far; behind it that of a control frame between its fragments
    std::size_t given_ = 0;                  // of the end of it, by the last outcome
};

} // namespace rowcast::protocol
