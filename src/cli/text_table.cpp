#include "cli/text_table.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace rowcast::cli {

namespace {

std::string spaces(std::size_t count)
{
    return std::string(count, ' ');
}

std::string dashes(std::size_t count)
{
    return std::string(count, '-');
}

std::string without_trailing_spaces(std::string line)
{
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

} // namespace

void text_table::add(std::vector<cell> row)
{
    assert(row.size() == header_.size());
    rows_.push_back(std::move(row));
}

std::string text_table::print(const painter& paint, std::size_t width) const
{
    std::vector<std::size_t> widths;
    for (std::size_t column = 0; column < header_.size(); ++column) {
        std::size_t widest = display_width(header_[column]);
        for (const auto& row : rows_) {
            widest = std::max(widest, display_width(row[column].text));
        }
        widths.push_back(widest);
    }
    const std::size_t total = std::accumulate(widths.begin(), widths.end(), widths.size() * 3);
    return total > width + 1 ? expanded(paint) : aligned(paint, widths);
}

std::string text_table::aligned(const painter& paint, const std::vector<std::size_t>& widths) const
{
    std::string header;
    std::string line;
    for (std::size_t column = 0; column < header_.size(); ++column) {
        const std::size_t room = widths[column] - display_width(header_[column]);
        header += (column ? " | " : " ") + spaces(room / 2) + header_[column] + spaces(room - room / 2);
        line += (column ? "+" : "") + dashes(widths[column] + 2);
    }
    std::string out = paint(style::bold, without_trailing_spaces(header)) + "\n" + paint(style::dim, line) + "\n";
    for (const auto& row : rows_) {
        std::string text;
        for (std::size_t column = 0; column < row.size(); ++column) {
            const cell& each = row[column];
            const std::string padding = spaces(widths[column] - display_width(each.text));
            const bool last = column + 1 == row.size();
            text += (column ? " " + paint(style::dim, "|") + " " : " ") + (each.right ? padding : "") +
                    paint(each.look, each.text) + (each.right || last ? "" : padding);
        }
        out += without_trailing_spaces(std::move(text)) + "\n";
    }
    return out;
}

std::string text_table::expanded(const painter& paint) const
{
    std::size_t widest = 0;
    for (const std::string& each : header_) {
        widest = std::max(widest, display_width(each));
    }
    std::string out;
    for (std::size_t number = 0; number < rows_.size(); ++number) {
        if (rows_.size() > 1) {
            out += paint(style::dim, "-[ " + std::to_string(number + 1) + " ]" + dashes(widest)) + "\n";
        }
        for (std::size_t column = 0; column < header_.size(); ++column) {
            const std::string name = header_[column] + spaces(widest - display_width(header_[column]));
            out += without_trailing_spaces(" " + paint(style::bold, name) + " " + paint(style::dim, "|") + " " +
                                           paint(rows_[number][column].look, rows_[number][column].text)) +
                   "\n";
        }
    }
    return out;
}

} // namespace rowcast::cli
