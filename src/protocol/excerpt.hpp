#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rowcast::protocol {

// What an error message quotes of a client's text: the beginning, in single quotes, never a part of a character (half
// of one would make the answer itself invalid UTF-8).
inline std::string excerpt(std::string_view text, std::size_t most = 64)
{
    if (text.size() <= most) {
        return "'" + std::string(text) + "'";
    }
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) {
        --most;
    }
    return "'" + std::string(text.substr(0, most)) + "...'";
}

} // namespace rowcast::protocol
