#include "protocol/utf8.hpp"

namespace rowcast::protocol {

// By the table of RFC 3629, section 4: what is wrong with a character shows in its first two bytes.
std::optional<std::size_t> whole_characters(std::string_view text)
{
    std::size_t at = 0;
    while (at < text.size()) {
        const auto lead = static_cast<unsigned char>(text[at]);
        const std::size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
        if (length == 0) {
            return std::nullopt;
        }
        unsigned char least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        unsigned char most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        for (std::size_t i = 1; i < length; ++i) {
            if (at + i == text.size()) {
                return at;
            }
            const auto next = static_cast<unsigned char>(text[at + i]);
            if (next < least || next > most) {
                return std::nullopt;
            }
            least = 0x80;
            most = 0xBF;
        }
        at += length;
    }
    return at;
}

} // namespace rowcast::protocol
