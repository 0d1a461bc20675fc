#include "core/batch.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace rowcast::core {
namespace {

// "2026-11-21T10:00:00.123456Z", as all changes have it: they compare as texts, too.
std::optional<std::chrono::system_clock::time_point> read_time(std::string_view text)
{
    using namespace std::chrono;
    if (text.size() != std::string_view("2026-11-21T10:00:00.123456Z").size()) {
        return std::nullopt;
    }
    bool whole = true;
    const auto number = [&](std::size_t at, std::size_t size) {
        unsigned out = 0;
        const char* const from = text.data() + at;
        whole = whole && std::from_chars(from, from + size, out).ptr == from + size;
        return out;
    };
    const year_month_day date(year(static_cast<int>(number(0, 4))), month(number(5, 2)), day(number(8, 2)));
    const auto time = hours(number(11, 2)) + minutes(number(14, 2)) + seconds(number(17, 2)) + microseconds(number(20, 6));
    return whole && date.ok() ? std::optional<system_clock::time_point>(sys_days(date) + time) : std::nullopt;
}

} // namespace

cursor batch::position_from(const cursor& from) const
{
    if (from.seen.includes(after)) {
        return from;
    }
    if (complete) {
        return {after, std::nullopt};
    }
    const bool taken = changes.empty() || (from.inside && from.inside->target == after && changes.back().where <= from.inside->last);
    return taken ? from : cursor{from.seen, cursor::progress{after, changes.back().where}};
}

void batch::date()
{
    std::string_view oldest;
    for (auto from = changes.begin(); from != changes.end();) {
        const auto to = std::find_if(from, changes.end(), [&](const change& each) { return each.xid != from->xid; });
        const std::string_view last = std::max_element(from, to, [](const change& a, const change& b) { return a.at < b.at; })->at;
        oldest = oldest.empty() ? last : std::min(oldest, last);
        from = to;
    }
    logged = read_time(oldest);
}

std::size_t batch::memory() const
{
    std::size_t sum = sizeof(batch);
    for (const change& each : changes) {
        sum += each.memory();
    }
    return sum;
}

} // namespace rowcast::core
