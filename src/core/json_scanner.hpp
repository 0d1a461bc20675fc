#pragma once

#include <cstddef>
#include <string_view>

namespace rowcast::core {

// Walks over JSON text (RFC 8259) that is to be cut and passed on, not interpreted: it finds where values end and
// refuses what is not JSON. Why not a parser: a row is read once a change and its numbers must keep their digits.
class json_scanner {
public:
    explicit json_scanner(std::string_view text) : text_(text) {}

    // Reads one object; calls `visit(name, value)` with the raw texts, the name with its quotes. Stops and returns
    // false at a syntax error or when `visit` returns false.
    template <class Visit>
    bool object(Visit visit)
    {
        skip_space();
        if (!take('{')) {
            return false;
        }
        skip_space();
        if (take('}')) {
            return true;
        }
        do {
            skip_space();
            std::string_view name;
            std::string_view value;
            if (!string(name)) {
                return false;
            }
            skip_space();
            if (!take(':') || !this->value(value) || !visit(name, value)) {
                return false;
            }
            skip_space();
        } while (take(','));
        return take('}');
    }

    // One value of any kind, without the white space around it.
    bool value(std::string_view& out);

    // Whether nothing but white space is left.
    bool at_end();

private:
    void skip_space();
    bool take(char expected);
    bool string(std::string_view& out);
    bool number();
    bool literal(std::string_view word);
    bool scalar();
    bool nested();

    std::string_view text_;
    std::size_t at_ = 0;
};

} // namespace rowcast::core
