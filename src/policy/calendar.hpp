#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rowcast::policy {

// Dates and times as PostgreSQL counts them, for comparing: days, or microseconds, since 2000-01-01. Its infinities are
// the ends of the range, as they are in PostgreSQL.
inline constexpr std::int64_t end_of_time = INT64_MAX;
inline constexpr std::int64_t beginning_of_time = INT64_MIN;

// ISO 8601 as PostgreSQL prints it and a careful person writes it: `2026-11-21`, `0044-03-15 BC`, `infinity`. Nothing
// for everything else, PostgreSQL's `today`, `Nov 21` and `21/11/2026` included: what they mean depends on settings or
// the hour.
std::optional<std::int64_t> read_date(std::string_view text);

// `10:00:00.5` as `10:00:00.500000`, which is ordered as it is compared; `24:00:00` is the greatest.
std::optional<std::string> read_time(std::string_view text);

// `2026-11-21T10:00:00.123456` (or with a blank; seconds may be missing, and the whole time). An offset from UTC may
// follow, which a timestamp without time zone ignores, as in PostgreSQL.
std::optional<std::int64_t> read_timestamp(std::string_view text);

// The same, in UTC; where no offset is given, the time is in UTC.
std::optional<std::int64_t> read_timestamptz(std::string_view text);

// The ways back, in a form that PostgreSQL reads whatever its settings are: `0044-03-15 BC`, and of a moment
// `2026-11-21 10:00:00.000001+00`, which a timestamp without time zone takes as it is.
std::string write_date(std::int64_t days);
std::string write_timestamp(std::int64_t microseconds);

} // namespace rowcast::policy
