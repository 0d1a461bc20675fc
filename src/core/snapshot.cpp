#include "core/snapshot.hpp"

#include <algorithm>
#include <charconv>

namespace rowcast::core {
namespace {

failure not_a_snapshot(std::string_view text)
{
    return {error_code::cursor_malformed, "not a snapshot: \"" + std::string(text.substr(0, 80)) + "\""};
}

// Reads digits up to `end_of_number` (or the end of the text) and moves past it.
bool take_number(std::string_view& text, char end_of_number, transaction_id& out)
{
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc{} || end == text.data()) {
        return false;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.empty()) {
        return end_of_number == ',';
    }
    if (text.front() != end_of_number) {
        return false;
    }
    text.remove_prefix(1);
    return end_of_number != ',' || !text.empty();
}

} // namespace

result<snapshot> snapshot::parse(std::string_view text)
{
    snapshot read;
    std::string_view rest = text;
    if (!take_number(rest, ':', read.xmin) || !take_number(rest, ':', read.xmax)) {
        return not_a_snapshot(text);
    }
    while (!rest.empty()) {
        if (!take_number(rest, ',', read.in_progress.emplace_back())) {
            return not_a_snapshot(text);
        }
    }
    if (!read.is_valid()) {
        return not_a_snapshot(text);
    }
    return read;
}

std::string snapshot::to_string() const
{
    std::string text = std::to_string(xmin) + ":" + std::to_string(xmax) + ":";
    for (const transaction_id& xid : in_progress) {
        if (&xid != in_progress.data()) {
            text += ',';
        }
        text += std::to_string(xid);
    }
    return text;
}

bool snapshot::sees(transaction_id xid) const
{
    if (xid < xmin) {
        return true;
    }
    return xid < xmax && !std::binary_search(in_progress.begin(), in_progress.end(), xid);
}

bool snapshot::includes(const snapshot& other) const
{
    if (other.xmax > xmax) {
        // What lies between may all be in progress in `other`, or never have been used; only an exact look tells.
        for (transaction_id xid = xmax; xid < other.xmax; ++xid) {
            if (other.sees(xid)) {
                return false;
            }
        }
    }
    return std::none_of(in_progress.begin(), in_progress.end(), [&](transaction_id xid) { return other.sees(xid); });
}

bool snapshot::is_valid() const
{
    if (xmin == 0 || xmin > xmax) {
        return false;
    }
    transaction_id last = xmin - 1;
    for (const transaction_id xid : in_progress) {
        if (xid <= last || xid >= xmax) {
            return false;
        }
        last = xid;
    }
    return true;
}

} // namespace rowcast::core
