#include "cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace rowcast::cli {

namespace {

struct character {
    char32_t code = 0;
    std::size_t size = 0; // 0: not UTF-8
};

// RFC 3629: no overlong forms, no surrogates.
character first_of(std::string_view text)
{
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned lead = byte(0);
    if (lead < 0x80) {
        return {lead, 1};
    }
    const std::size_t size = lead >= 0xf0 && lead < 0xf5   ? 4
                             : lead >= 0xe0 && lead < 0xf0 ? 3
                             : lead >= 0xc2 && lead < 0xe0 ? 2
                                                           : 0;
    if (size == 0 || text.size() < size) {
        return {};
    }
    char32_t code = lead & (0xffU >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xc0U) != 0x80) {
            return {};
        }
        code = (code << 6) | (byte(i) & 0x3fU);
    }
    constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return code < least[size] || code > 0x10ffff || surrogate ? character{} : character{code, size};
}

bool is_dangerous(char32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x061c || code == 0x200e || code == 0x200f ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

std::size_t width_of(char32_t code)
{
    if ((code >= 0x0300 && code <= 0x036f) || (code >= 0x200b && code <= 0x200d) ||
        (code >= 0xfe00 && code <= 0xfe0f)) {
        return 0;
    }
    const bool wide = (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) ||
                      (code >= 0xac00 && code <= 0xd7a3) || (code >= 0xf900 && code <= 0xfaff) ||
                      (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60) ||
                      (code >= 0x1f300 && code <= 0x1faff) || (code >= 0x20000 && code <= 0x3fffd);
    return wide ? 2 : 1;
}

std::string escaped(const char* form, std::uint32_t value)
{
    std::array<char, 16> buffer{};
    std::snprintf(buffer.data(), buffer.size(), form, value);
    return buffer.data();
}

std::string made_printable(std::string_view text, bool keep_lines)
{
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const character next = first_of(text);
        const std::string_view bytes = text.substr(0, next.size == 0 ? 1 : next.size);
        if (next.size == 0) {
            out += escaped("\\x%02x", static_cast<unsigned char>(bytes[0]));
        } else if (next.code == '\n') {
            out += keep_lines ? "\n" : "\\n";
        } else if (next.code == '\t') {
            out += keep_lines ? "\t" : "\\t";
        } else if (is_dangerous(next.code)) {
            out += escaped(next.code < 0x80 ? "\\x%02x" : "\\u%04x", static_cast<std::uint32_t>(next.code));
        } else {
            out += bytes;
        }
        text.remove_prefix(bytes.size());
    }
    return out;
}

} // namespace

std::string printable(std::string_view text)
{
    return made_printable(text, false);
}

std::string printable_lines(std::string_view text)
{
    return made_printable(text, true);
}

std::size_t display_width(std::string_view text)
{
    std::size_t width = 0;
    while (!text.empty()) {
        const character next = first_of(text);
        width += next.size == 0 ? 1 : width_of(next.code);
        text.remove_prefix(next.size == 0 ? 1 : next.size);
    }
    return width;
}

std::string shortened(std::string_view text, std::size_t columns)
{
    if (display_width(text) <= columns) {
        return std::string(text);
    }
    std::string out;
    std::size_t width = 1; // of the ellipsis
    while (!text.empty()) {
        const character next = first_of(text);
        const std::size_t size = next.size == 0 ? 1 : next.size;
        width += next.size == 0 ? 1 : width_of(next.code);
        if (width > columns) {
            break;
        }
        out += text.substr(0, size);
        text.remove_prefix(size);
    }
    return out + "…";
}

std::size_t terminal_width()
{
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        return size.ws_col;
    }
    return 80;
}

bool is_terminal(int descriptor)
{
    return isatty(descriptor) == 1;
}

bool wants_colour(int descriptor)
{
    const char* refused = std::getenv("NO_COLOR");
    return is_terminal(descriptor) && (refused == nullptr || *refused == '\0');
}

std::string painter::operator()(style wanted, std::string_view text) const
{
    if (!coloured_ || wanted == style::plain) {
        return std::string(text);
    }
    constexpr std::array<const char*, 7> codes{"0", "1", "2", "31", "32", "33", "36"};
    return "\x1b[" + std::string(codes[static_cast<std::size_t>(wanted)]) + "m" + std::string(text) + "\x1b[0m";
}

} // namespace rowcast::cli
