#pragma once

#include "cli/terminal.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace rowcast::cli {

// A table as psql prints it: aligned, a line below the header, numbers to the right. Where that is wider than the
// terminal, one line a value (psql's \x auto). Texts must be printable.
class text_table {
public:
    struct cell {
        std::string text;
        style look = style::plain;
        bool right = false;
    };

    explicit text_table(std::vector<std::string> header)
        : header_(std::move(header))
    {
    }

    void add(std::vector<cell> row); // as many cells as the header has

    bool empty() const { return rows_.empty(); }

    std::string print(const painter& paint, std::size_t width) const;

private:
    std::string aligned(const painter& paint, const std::vector<std::size_t>& widths) const;
    std::string expanded(const painter& paint) const;

    std::vector<std::string> header_;
    std::vector<std::vector<cell>> rows_;
};

} // namespace rowcast::cli
