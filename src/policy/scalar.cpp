#include "policy/scalar.hpp"

#include "core/row.hpp"
#include "policy/calendar.hpp"
#include "policy/document.hpp"
#include "policy/literal_text.hpp"
#include "policy/scalar_number.hpp"

#include <algorithm>
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

std::optional<int> to_hex_value(char c)
{
    const char lower = to_lower(c);
    return is_digit(c)                    ? std::optional(c - '0')
           : lower >= 'a' && lower <= 'f' ? std::optional(lower - 'a' + 10)
                                          : std::nullopt;
}

// PostgreSQL's byteain: \xDEAD with blanks between the bytes, or the bytes themselves with \\ and \octal. In that form
// only ASCII: what else a text's bytes are depends on the server's encoding.
std::optional<std::string> read_bytea(std::string_view text)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string read = "\\x";
    const auto add = [&](int byte) {
        read += digits[static_cast<std::size_t>(byte) / 16];
        read += digits[static_cast<std::size_t>(byte) % 16];
    };
    if (text.starts_with("\\x")) {
        for (std::size_t i = 2; i < text.size(); ++i) {
            if (text[i] == ' ' || text[i] == '\n' || text[i] == '\t' || text[i] == '\r') {
                continue;
            }
            const auto high = to_hex_value(text[i]);
            const auto low = ++i < text.size() ? to_hex_value(text[i]) : std::nullopt;
            if (!high || !low) {
                return std::nullopt;
            }
            add(*high * 16 + *low);
        }
        return read;
    }
    const auto is_octal = [](char c, char most) { return c >= '0' && c <= most; };
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            if (static_cast<unsigned char>(text[i]) >= 0x80) {
                return std::nullopt;
            }
            add(text[i]);
        } else if (text.substr(i + 1).starts_with('\\')) {
            add(text[++i]);
        } else if (i + 3 < text.size() && is_octal(text[i + 1], '3') && is_octal(text[i + 2], '7') &&
                   is_octal(text[i + 3], '7')) {
            add((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + text[i + 3] - '0');
            i += 3;
        } else {
            return std::nullopt;
        }
    }
    return read;
}

std::optional<std::string> read_jsonb(std::string_view text)
{
    const auto read = read_document(text);
    return read ? std::optional(to_json(*read)) : std::nullopt;
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
    case type_family::time:
        return read_time(text);
    case type_family::timestamp:
        return to_text(read_timestamp(text));
    case type_family::timestamptz:
        return to_text(read_timestamptz(text));
    case type_family::text:
    case type_family::enumeration:
        return mark_text(text);
    case type_family::padded_text:
        return mark_text(without_trailing_blanks(text));
    case type_family::bytea:
        return read_bytea(text);
    case type_family::jsonb:
        return read_jsonb(text);
    case type_family::array:
    case type_family::json:
    case type_family::collated_text:
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
    if (family == type_family::jsonb) {
        return read_jsonb(json);
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

bool is_scalar(type_family family)
{
    return family < type_family::jsonb;
}

bool is_ordered(const column& of)
{
    const bool text = of.family == type_family::text || of.family == type_family::padded_text;
    const bool enumeration = of.family == type_family::enumeration;
    return is_scalar(of.family) && (!text || of.code_points) && (!enumeration || !of.labels.empty());
}

std::partial_ordering compare(const column& of, std::string_view left, std::string_view right)
{
    switch (of.family) {
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
    case type_family::enumeration: {
        const auto place = [&](std::string_view value) {
            return std::find(of.labels.begin(), of.labels.end(), value.substr(1));
        };
        const auto l = place(left);
        const auto r = place(right);
        return l == of.labels.end() || r == of.labels.end() ? std::partial_ordering::unordered : l <=> r;
    }
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
    case type_family::integer:
    case type_family::bigint:
        return "an integer";
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
    case type_family::time:
        return "a time (10:00:00)";
    case type_family::enumeration:
        return "a label of the type";
    case type_family::bytea:
        return "bytes (\\xdeadbeef)";
    case type_family::jsonb:
        return "JSON (a text in it has its quotes: '\"open\"')";
    case type_family::array:
        return "a list of the elements' values ([a, b], or '{a,b}')";
    default:
        return "a text";
    }
}

} // namespace rowcast::policy
