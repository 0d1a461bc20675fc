#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rowcast::cli {

// Text from outside, safe to show: what could move a cursor, ring, hide or reorder text (controls, the bidirectional
// overrides, bytes that are not UTF-8) becomes \n, \x1b, \u202e.
std::string printable(std::string_view text);

// The same, with line ends left as they are: for messages of several lines.
std::string printable_lines(std::string_view text);

// How many columns valid UTF-8 takes on a terminal, about.
std::size_t display_width(std::string_view text);

// At most so many columns; what does not fit is cut and the last column says so.
std::string shortened(std::string_view text, std::size_t columns);

// 80 where it cannot be told.
std::size_t terminal_width();

bool is_terminal(int descriptor);

// Whether colours belong on this descriptor: a terminal, without NO_COLOR (no-color.org).
bool wants_colour(int descriptor);

enum class style { plain, bold, dim, red, green, yellow, cyan };

// Puts text into a style, or leaves it.
class painter {
public:
    explicit painter(bool coloured)
        : coloured_(coloured)
    {
    }

    std::string operator()(style wanted, std::string_view text) const;

private:
    bool coloured_;
};

} // namespace rowcast::cli
