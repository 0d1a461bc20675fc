#include "policy/calendar.hpp"

#include "policy/literal_text.hpp"

#include <algorithm>
#include <array>

namespace rowcast::policy {
namespace {

constexpr std::int64_t microseconds_a_second = 1'000'000;
constexpr std::int64_t seconds_a_day = 24 * 60 * 60;

struct day {
    std::int64_t year; // 0 is 1 BC
    int month;
    int of_month;
};

// Days since 2000-01-01 in the proleptic Gregorian calendar: Howard Hinnant, "chrono-Compatible Low-Level Date
// Algorithms", days_from_civil.
constexpr std::int64_t count_days(day date)
{
    const std::int64_t year = date.month <= 2 ? date.year - 1 : date.year;
    const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
    const std::int64_t year_of_era = year - era * 400;
    const std::int64_t day_of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.of_month - 1;
    const std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 730425;
}

// The same source, civil_from_days.
constexpr day find_day(std::int64_t days)
{
    const std::int64_t shifted = days + 730425;
    const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    const std::int64_t day_of_era = shifted - era * 146097;
    const std::int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int month = static_cast<int>((5 * day_of_year + 2) / 153);
    const int of_month = static_cast<int>(day_of_year - (153 * month + 2) / 5 + 1);
    return {year_of_era + era * 400 + (month >= 10 ? 1 : 0), month < 10 ? month + 3 : month - 9, of_month};
}

static_assert(count_days({2000, 1, 1}) == 0 && count_days({1999, 12, 31}) == -1);

// PostgreSQL manual, "Date/Time Types": both begin with the first Julian day.
constexpr std::int64_t first_day = count_days({-4713, 11, 24});
constexpr std::int64_t last_day = count_days({5874897, 12, 31});
constexpr std::int64_t last_timestamp_day = count_days({294276, 12, 31});

bool is_leap(std::int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int days_in_month(std::int64_t year, int month)
{
    constexpr std::array<int, 12> days = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[static_cast<std::size_t>(month) - 1];
}

std::string padded(std::int64_t number, std::size_t width)
{
    const std::string digits = std::to_string(number);
    return std::string(width - std::min(width, digits.size()), '0') + digits;
}

std::string write_day(const day& date)
{
    return padded(date.year > 0 ? date.year : 1 - date.year, 4) + "-" + padded(date.month, 2) + "-" +
           padded(date.of_month, 2);
}

std::optional<std::string> write_infinity(std::int64_t time)
{
    return time == end_of_time         ? std::optional<std::string>("infinity")
           : time == beginning_of_time ? std::optional<std::string>("-infinity")
                                       : std::nullopt;
}

std::string write_time(std::int64_t microseconds)
{
    const std::int64_t seconds = microseconds / microseconds_a_second;
    return padded(seconds / 3600, 2) + ":" + padded(seconds / 60 % 60, 2) + ":" + padded(seconds % 60, 2) + "." +
           padded(microseconds % microseconds_a_second, 6);
}

std::string write_era(const day& date)
{
    return date.year > 0 ? "" : " BC";
}

bool take(std::string_view& text, char expected)
{
    if (text.empty() || text.front() != expected) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

bool take_digits(std::string_view& text, std::size_t least, std::size_t most, std::int64_t& number)
{
    std::size_t count = 0;
    for (number = 0; count < text.size() && count < most && is_digit(text[count]); ++count) {
        number = number * 10 + (text[count] - '0');
    }
    text.remove_prefix(count);
    return count >= least;
}

bool take_two(std::string_view& text, std::int64_t least, std::int64_t most, std::int64_t& number)
{
    return take_digits(text, 2, 2, number) && number >= least && number <= most;
}

// The day, without looking at its era yet: PostgreSQL writes "BC" behind everything else.
bool take_day(std::string_view& text, bool before_christ, std::int64_t& days)
{
    std::int64_t year = 0;
    std::int64_t month = 0;
    std::int64_t of_month = 0;
    if (!take_digits(text, 4, 7, year) || year == 0 || !take(text, '-') || !take_two(text, 1, 12, month) ||
        !take(text, '-') || !take_two(text, 1, 31, of_month)) {
        return false;
    }
    year = before_christ ? 1 - year : year;
    if (of_month > days_in_month(year, static_cast<int>(month))) {
        return false;
    }
    days = count_days({year, static_cast<int>(month), static_cast<int>(of_month)});
    return days >= first_day && days <= last_day;
}

// 10:00, 10:00:00, 10:00:00.123456; in microseconds.
bool take_time(std::string_view& text, std::int64_t& time)
{
    std::int64_t hours = 0;
    std::int64_t minutes = 0;
    std::int64_t seconds = 0;
    std::int64_t fraction = 0;
    if (!take_two(text, 0, 23, hours) || !take(text, ':') || !take_two(text, 0, 59, minutes)) {
        return false;
    }
    if (take(text, ':')) {
        if (!take_two(text, 0, 59, seconds)) {
            return false;
        }
        if (take(text, '.')) {
            const std::size_t before = text.size();
            if (!take_digits(text, 1, 6, fraction)) {
                return false;
            }
            for (std::size_t digits = before - text.size(); digits < 6; ++digits) {
                fraction *= 10;
            }
        }
    }
    time = ((hours * 60 + minutes) * 60 + seconds) * microseconds_a_second + fraction;
    return true;
}

// Z, +02, +0200, +02:00; in microseconds, zero where there is none.
bool take_offset(std::string_view& text, std::int64_t& offset)
{
    offset = 0;
    if (take(text, 'Z') || take(text, 'z') || text.empty()) {
        return true;
    }
    const bool west = text.front() == '-';
    std::int64_t hours = 0;
    std::int64_t minutes = 0;
    if ((!take(text, '-') && !take(text, '+')) || !take_two(text, 0, 15, hours)) { // PostgreSQL's MAX_TZDISP_HOUR
        return false;
    }
    if (take(text, ':') || !text.empty()) {
        if (!take_two(text, 0, 59, minutes)) {
            return false;
        }
    }
    offset = (hours * 60 + minutes) * 60 * microseconds_a_second * (west ? -1 : 1);
    return true;
}

std::optional<std::int64_t> read_infinity(std::string_view text)
{
    if (is_word(text, "infinity")) {
        return end_of_time;
    }
    if (is_word(text, "-infinity")) {
        return beginning_of_time;
    }
    return std::nullopt;
}

bool take_era(std::string_view& text)
{
    if (text.size() < 3 || !is_word(text.substr(text.size() - 3), " bc")) {
        return false;
    }
    text.remove_suffix(3);
    return true;
}

std::optional<std::int64_t> read_moment(std::string_view text, bool with_offset)
{
    text = trim(text);
    if (const auto infinity = read_infinity(text)) {
        return infinity;
    }
    const bool before_christ = take_era(text);
    std::int64_t days = 0;
    std::int64_t time = 0;
    std::int64_t offset = 0;
    if (!take_day(text, before_christ, days)) {
        return std::nullopt;
    }
    if (!text.empty() && ((!take(text, 'T') && !take(text, 't') && !take(text, ' ')) || !take_time(text, time) ||
                          !take_offset(text, offset) || !text.empty())) {
        return std::nullopt;
    }
    // One day more than PostgreSQL has, so that the offset may bring it back; a day's microseconds fit behind it.
    if (days > last_timestamp_day + 1) {
        return std::nullopt;
    }
    const std::int64_t moment = days * seconds_a_day * microseconds_a_second + time - (with_offset ? offset : 0);
    if (moment < first_day * seconds_a_day * microseconds_a_second ||
        moment >= (last_timestamp_day + 1) * seconds_a_day * microseconds_a_second) {
        return std::nullopt;
    }
    return moment;
}

} // namespace

std::optional<std::int64_t> read_date(std::string_view text)
{
    text = trim(text);
    if (const auto infinity = read_infinity(text)) {
        return infinity;
    }
    const bool before_christ = take_era(text);
    std::int64_t days = 0;
    if (!take_day(text, before_christ, days) || !text.empty()) {
        return std::nullopt;
    }
    return days;
}

std::optional<std::int64_t> read_timestamp(std::string_view text)
{
    return read_moment(text, false);
}

std::optional<std::int64_t> read_timestamptz(std::string_view text)
{
    return read_moment(text, true);
}

std::string write_date(std::int64_t days)
{
    if (auto infinity = write_infinity(days)) {
        return *infinity;
    }
    const day date = find_day(days);
    return write_day(date) + write_era(date);
}

std::optional<std::string> read_time(std::string_view text)
{
    text = trim(text);
    if (text == "24:00" || text == "24:00:00") {
        return "24:00:00.000000";
    }
    std::int64_t time = 0;
    return take_time(text, time) && text.empty() ? std::optional(write_time(time)) : std::nullopt;
}

std::string write_timestamp(std::int64_t microseconds)
{
    if (auto infinity = write_infinity(microseconds)) {
        return *infinity;
    }
    constexpr std::int64_t a_day = seconds_a_day * microseconds_a_second;
    const std::int64_t time = (microseconds % a_day + a_day) % a_day;
    const day date = find_day((microseconds - time) / a_day);
    return write_day(date) + " " + write_time(time) + "+00" + write_era(date);
}

} // namespace rowcast::policy
