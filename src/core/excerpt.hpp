#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rowcast::core {

// What a message quotes of somebody's text: the beginning, with dots where there is more, and never a part of a character (half of
// one would make the message itself invalid UTF-8, at which a WebSocket client must close).
inline std::string beginning(std::string_view text, std::size_t most = 64)
{
    if (text.size() <= most) {
        return std::string(text);
    }
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) {
        --most;
    }
    return std::string(text.substr(0, most)) + "...";
}

// The same in single quotes.
inline std::string excerpt(std::string_view text, std::size_t most = 64)
{
    return "'" + beginning(text, most) + "'";
}

} // namespace rowcast::core
