#include "policy/scalar.hpp"

#include "core/row.hpp"
#include "policy/calendar.hpp"
#include "policy/literal_text.hpp"
#include "policy/scalar_number.hpp"

#include <array>
#include <cstdint>

namespace rowcast::policy {
namespace {

std::optional<std::string> to_text(std::optional<std::int64_t> number)
{
    return number ? std::optional(std::to_string(*number)) : std::nullopt;
}

// A prefix keeps the empty text from looking like null.
std::string mark_text(std::string_view text)
{
    return "'" + std::string(text);
}

std::string_view without_trailing_blanks(std::string_view text)
{
    return text.substr(0, text.find_last_not_of(' ') + 1);
}

// PostgreSQL's boolin: any beginning of these words that is not ambiguous.
std::optional<std::string> read_boolean(std::string_view text)
{
    struct word {
        std::string_view whole;
        std::size_t least;
        bool value;
    };

    constexpr std::array words = {word{"true", 1, true}, word{"false", 1, false}, word{"yes", 1, true},
                                  word{"no", 1, false},  word{"on", 2, true},     word{"off", 2, false},
                                  word{"1", 1, true},    word{"0", 1, false}};
    text = trim(text);
    for (const word& each : words) {
        if (text.size() >= each.least && text.size() <= each.whole.size() &&
            is_word(text, each.whole.substr(0, text.size()))) {
            return each.value ? "t" : "f";
        }
    }
    return std::nullopt;
}

// PostgreSQL's uuid_in: 32 hexadecimal digits, a hyphen allowed after each four, all of it in braces or not.
std::optional<std::string> read_uuid(std::string_view text)
{
    if (text.size() >= 2 && text.front() == '{' && text.back() == '}') {
        text = text.substr(1, text.size() - 2);
    }
    std::string digits;
    bool after_hyphen = true; // no hyphen at the beginning either
    for (const char c : text) {
        const char lower = to_lower(c);
        if (is_digit(lower) || (lower >= 'a' && lower <= 'f')) {
            digits += lower;
            after_hyphen = false;
        } else if (c == '-' && !after_hyphen && digits.size() % 4 == 0 && digits.size() < 32) {
            after_hyphen = true;
        } else {
            return std::nullopt;
        }
    }
    return digits.size() == 32 ? std::optional(digits) : std::nullopt;
}

std::optional<std::string> read_scalar(type_family family, std::string_view text)
{
    switch (family) {
    case type_family::boolean:
        return read_boolean(text);
    case type_family::smallint:
        return read_integer(text, INT16_MAX);
    case type_family::integer:
        return read_integer(text, INT32_MAX);
    case type_family::bigint:
        return read_integer(text, INT64_MAX);
    case type_family::numeric:
        return read_numeric(text);
    case type_family::real:
        return read_floating(text, true);
    case type_family::double_precision:
        return read_floating(text, false);
    case type_family::uuid:
        return read_uuid(text);
    case type_family::date:
        return to_text(read_date(text));
    case type_family::timestamp:
        return to_text(read_timestamp(text));
    case type_family::timestamptz:
        return to_text(read_timestamptz(text));
    case type_family::text:
    case type_family::enumeration:
        return mark_text(text);
    case type_family::padded_text:
        return mark_text(without_trailing_blanks(text));
    case type_family::other:
        break;
    }
    return std::nullopt;
}

// Printed in JSON without quotes (though NaN and the infinities have them).
bool is_bare(type_family family)
{
    return family <= type_family::double_precision;
}

} // namespace

std::optional<std::string> canonical(type_family family, std::string_view json)
{
    if (json.empty() || json == "null") {
        return std::nullopt;
    }
    // A value of another kind was logged when the column had another type: it equals nothing now.
    if (json.front() != '"') {
        return is_bare(family) ? read_scalar(family, json) : std::nullopt;
    }
    const auto text = family == type_family::boolean ? std::nullopt : core::decode_string(json);
    return text ? read_scalar(family, *text) : std::nullopt;
}

std::optional<std::string> canonical_literal(type_family family, std::string_view text)
{
    return text.find('\0') == std::string_view::npos ? read_scalar(family, text) : std::nullopt;
}

bool is_ordered(type_family family)
{
    switch (family) {
    case type_family::text:
    case type_family::padded_text:
    case type_family::enumeration:
    case type_family::other:
        return false;
    default:
        return true;
    }
}

std::strong_ordering compare(type_family family, std::string_view left, std::string_view right)
{
    switch (family) {
    case type_family::numeric:
        return compare_numerics(left, right);
    case type_family::real:
    case type_family::double_precision:
        return compare_floatings(left, right);
    case type_family::smallint:
    case type_family::integer:
    case type_family::bigint:
    case type_family::date:
    case type_family::timestamp:
    case type_family::timestamptz:
        return compare_integers(left, right);
    default:
        return left <=> right;
    }
}

std::string_view describe(type_family family)
{
    switch (family) {
    case type_family::boolean:
        return "a boolean";
    case type_family::smallint:
        return "an integer between -32768 and 32767";
    case type_family::integer:
        return "an integer between -2147483648 and 2147483647";
    case type_family::bigint:
        return "an integer of 64 bits";
    case type_family::numeric:
    case type_family::real:
    case type_family::double_precision:
        return "a number";
    case type_family::uuid:
        return "a uuid";
    case type_family::date:
        return "a date (2026-11-21)";
    case type_family::timestamp:
        return "a timestamp (2026-11-21T10:00:00)";
    case type_family::timestamptz:
        return "a timestamp (2026-11-21T10:00:00Z)";
    case type_family::enumeration:
        return "a label of the type";
    default:
        return "a text";
    }
}

} // namespace rowcast::policy
