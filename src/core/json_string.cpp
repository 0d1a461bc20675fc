#include <charconv>

#include "core/row.hpp"

namespace rowcast::core {
namespace {

void append_utf8(std::string& out, std::uint32_t code)
{
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xC0 | (code >> 6));
        out += static_cast<char>(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        out += static_cast<char>(0xE0 | (code >> 12));
        out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
        out += static_cast<char>(0x80 | (code & 0x3F));
    } else {
        out += static_cast<char>(0xF0 | (code >> 18));
        out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
        out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
        out += static_cast<char>(0x80 | (code & 0x3F));
    }
}

bool take_unit(std::string_view& rest, std::uint32_t& unit)
{
    if (rest.size() < 4 || std::from_chars(rest.data(), rest.data() + 4, unit, 16).ptr != rest.data() + 4) {
        return false;
    }
    rest.remove_prefix(4);
    return true;
}

// \uXXXX, or a surrogate pair of two; a lone surrogate has no UTF-8 form.
bool take_code_point(std::string_view& rest, std::uint32_t& code)
{
    if (!take_unit(rest, code) || (code >= 0xDC00 && code < 0xE000)) {
        return false;
    }
    if (code < 0xD800 || code >= 0xE000) {
        return true;
    }
    std::uint32_t low = 0;
    if (!rest.starts_with("\\u")) {
        return false;
    }
    rest.remove_prefix(2);
    if (!take_unit(rest, low) || low < 0xDC00 || low >= 0xE000) {
        return false;
    }
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

bool needs_escape(char c)
{
    return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
}

void append_escaped(std::string& out, char c)
{
    constexpr char hex[] = "0123456789abcdef";
    switch (c) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    default:
        out += "\\u00";
        out += hex[static_cast<unsigned char>(c) >> 4];
        out += hex[static_cast<unsigned char>(c) & 15];
    }
}

} // namespace

std::optional<std::string> decode_string(std::string_view json)
{
    if (json.size() < 2 || json.front() != '"' || json.back() != '"') {
        return std::nullopt;
    }
    std::string_view rest = json.substr(1, json.size() - 2);
    std::string out;
    out.reserve(rest.size());
    while (!rest.empty()) {
        const std::size_t plain = std::min(rest.find_first_of("\\\""), rest.size());
        out += rest.substr(0, plain);
        rest.remove_prefix(plain);
        if (rest.empty()) {
            break;
        }
        if (rest.size() < 2 || rest.front() == '"') {
            return std::nullopt;
        }
        const char escape = rest[1];
        rest.remove_prefix(2);
        std::uint32_t code = 0;
        switch (escape) {
        case 'b': out += '\b'; break;
        case 'f': out += '\f'; break;
        case 'n': out += '\n'; break;
        case 'r': out += '\r'; break;
        case 't': out += '\t'; break;
        case '"':
        case '\\':
        case '/': out += escape; break;
        case 'u':
            if (!take_code_point(rest, code)) {
                return std::nullopt;
            }
            append_utf8(out, code);
            break;
        default: return std::nullopt;
        }
    }
    return out;
}

void append_quoted(std::string& out, std::string_view text)
{
    out += '"';
    std::size_t copied = 0; // up to here; what needs no escape goes over in one piece
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (needs_escape(text[i])) {
            out.append(text, copied, i - copied);
            append_escaped(out, text[i]);
            copied = i + 1;
        }
    }
    out.append(text, copied);
    out += '"';
}

} // namespace rowcast::core
