#include "core/json_scanner.hpp"

#include <bitset>

namespace rowcast::core {
namespace {

constexpr std::size_t deepest = 512;

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// The first character from `at` on that means something in a string; most of a row's text is strings, and plain.
std::size_t end_of_plain(std::string_view text, std::size_t at)
{
    while (at < text.size() && text[at] != '"' && text[at] != '\\' && static_cast<unsigned char>(text[at]) >= 0x20) {
        ++at;
    }
    return at;
}

} // namespace

void json_scanner::skip_space()
{
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
        ++at_;
    }
}

bool json_scanner::take(char expected)
{
    if (at_ < text_.size() && text_[at_] == expected) {
        ++at_;
        return true;
    }
    return false;
}

bool json_scanner::at_end()
{
    skip_space();
    return at_ == text_.size();
}

bool json_scanner::string(std::string_view& out)
{
    const std::size_t start = at_;
    if (!take('"')) {
        return false;
    }
    for (;;) {
        at_ = end_of_plain(text_, at_);
        if (at_ == text_.size()) {
            return false;
        }
        const char c = text_[at_++];
        if (c == '"') {
            out = text_.substr(start, at_ - start);
            return true;
        }
        if (c != '\\' || at_ >= text_.size()) {
            return false; // a control character, or the end
        }
        const char escape = text_[at_++];
        if (escape == 'u') {
            for (int i = 0; i < 4; ++i, ++at_) {
                if (at_ >= text_.size() || !is_hex(text_[at_])) {
                    return false;
                }
            }
        } else if (std::string_view("\"\\/bfnrt").find(escape) == std::string_view::npos) {
            return false;
        }
    }
}

bool json_scanner::number()
{
    const auto digits = [&] {
        const std::size_t start = at_;
        while (at_ < text_.size() && is_digit(text_[at_])) {
            ++at_;
        }
        return at_ > start;
    };
    take('-');
    if (!take('0') && !digits()) {
        return false;
    }
    if (take('.') && !digits()) {
        return false;
    }
    if (take('e') || take('E')) {
        if (!take('+')) {
            take('-');
        }
        return digits();
    }
    return true;
}

bool json_scanner::literal(std::string_view word)
{
    if (text_.substr(at_, word.size()) != word) {
        return false;
    }
    at_ += word.size();
    return true;
}

bool json_scanner::scalar()
{
    if (at_ >= text_.size()) {
        return false;
    }
    std::string_view ignored;
    switch (text_[at_]) {
    case '"': return string(ignored);
    case 't': return literal("true");
    case 'f': return literal("false");
    case 'n': return literal("null");
    default: return number();
    }
}

// Without recursion: the depth of hostile text must not become the depth of our stack.
bool json_scanner::nested()
{
    std::bitset<deepest> is_object;
    std::size_t depth = 0;
    std::string_view ignored;
    for (;;) {
        // Here a value is expected.
        skip_space();
        bool opened = false;
        if (at_ < text_.size() && (text_[at_] == '{' || text_[at_] == '[')) {
            if (depth == deepest) {
                return false;
            }
            const bool object = text_[at_++] == '{';
            is_object[depth++] = object;
            skip_space();
            if (!take(object ? '}' : ']')) {
                opened = true;
            } else {
                --depth;
            }
        } else if (!scalar()) {
            return false;
        }
        // Here a value has just ended, or an array or object been opened.
        while (!opened) {
            if (depth == 0) {
                return true;
            }
            skip_space();
            if (take(',')) {
                break;
            }
            if (!take(is_object[depth - 1] ? '}' : ']')) {
                return false;
            }
            --depth;
        }
        if (is_object[depth - 1]) {
            skip_space();
            if (!string(ignored)) {
                return false;
            }
            skip_space();
            if (!take(':')) {
                return false;
            }
        }
    }
}

bool json_scanner::value(std::string_view& out)
{
    skip_space();
    const std::size_t start = at_;
    const bool deep = at_ < text_.size() && (text_[at_] == '{' || text_[at_] == '[');
    if (deep ? !nested() : !scalar()) {
        return false;
    }
    out = text_.substr(start, at_ - start);
    return true;
}

} // namespace rowcast::core
