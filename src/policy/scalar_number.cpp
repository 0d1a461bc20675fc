#include "policy/scalar_number.hpp"

#include "policy/literal_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace rowcast::policy {
namespace {

// numeric's own limits: digits before and after the decimal point (PostgreSQL manual, "Numeric Types").
constexpr int most_whole_digits = 131072;
constexpr int most_decimals = 16383;

bool take_sign(std::string_view& text)
{
    const bool negative = !text.empty() && text.front() == '-';
    if (negative || (!text.empty() && text.front() == '+')) {
        text.remove_prefix(1);
    }
    return negative;
}

std::string_view take_digits(std::string_view& text)
{
    const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
    const std::string_view digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(digits.size());
    return digits;
}

std::string_view without_leading_zeros(std::string_view digits)
{
    return digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
}

std::optional<std::string> read_special(std::string_view text, bool signed_nan)
{
    const bool bare = !text.empty() && text.front() != '-' && text.front() != '+';
    const bool negative = take_sign(text);
    if ((bare || signed_nan) && is_word(text, "nan")) {
        return "NaN";
    }
    if (is_word(text, "infinity") || is_word(text, "inf")) {
        return negative ? "-Infinity" : "Infinity";
    }
    return std::nullopt;
}

// 12.5 and 125e-1 alike are 0.125 * 10^2.
struct decimal {
    bool negative = false;
    std::string digits; // without zeros at either end; empty: zero
    int exponent = 0;
};

bool take_exponent(std::string_view& text, int& exponent)
{
    const auto [end, error] = [&] {
        const bool plus = !text.empty() && text.front() == '+';
        text.remove_prefix(plus ? 1 : 0);
        const bool sign_again = plus && !text.empty() && text.front() == '-';
        return sign_again ? std::from_chars_result{text.data(), std::errc::invalid_argument}
                          : std::from_chars(text.data(), text.data() + text.size(), exponent);
    }();
    if (error != std::errc{} || exponent < -most_decimals || exponent > most_whole_digits) {
        return false;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
}

std::optional<decimal> read_decimal(std::string_view text)
{
    decimal read;
    read.negative = take_sign(text);
    const std::string_view whole = take_digits(text);
    std::string_view decimals;
    if (!text.empty() && text.front() == '.') {
        text.remove_prefix(1);
        decimals = take_digits(text);
    }
    if (whole.empty() && decimals.empty()) {
        return std::nullopt;
    }
    int exponent = 0;
    if (!text.empty() && to_lower(text.front()) == 'e') {
        text.remove_prefix(1);
        if (!take_exponent(text, exponent)) {
            return std::nullopt;
        }
    }
    if (!text.empty() || whole.size() > most_whole_digits || decimals.size() > most_decimals) {
        return std::nullopt;
    }
    const std::string all = std::string(whole) + std::string(decimals);
    const std::string_view significant = without_leading_zeros(all);
    read.digits = significant.substr(0, significant.find_last_not_of('0') + 1);
    if (read.digits.empty()) {
        return decimal{};
    }
    read.exponent = exponent + static_cast<int>(whole.size()) - static_cast<int>(all.size() - significant.size());
    const int decimals_used = static_cast<int>(read.digits.size()) - read.exponent;
    if (read.exponent > most_whole_digits || decimals_used > most_decimals) {
        return std::nullopt;
    }
    return read;
}

// NaN is greater than infinity, infinity than every number (PostgreSQL, not IEEE 754).
int rank(std::string_view canonical)
{
    if (canonical == "NaN") {
        return 3;
    }
    if (canonical == "Infinity") {
        return 2;
    }
    return canonical == "-Infinity" ? 0 : 1;
}

// Canonical numerics are read back here; they are well formed.
struct parts {
    int sign;
    int exponent;
    std::string_view digits;
};

parts split(std::string_view canonical)
{
    if (canonical == "0") {
        return {0, 0, {}};
    }
    const bool negative = take_sign(canonical);
    const std::size_t mark = canonical.find('e');
    int exponent = 0;
    std::from_chars(canonical.data() + mark + 1, canonical.data() + canonical.size(), exponent);
    return {negative ? -1 : 1, exponent, canonical.substr(0, mark)};
}

template <class Real>
std::optional<std::string> read_as(std::string_view text)
{
    // from_chars takes no plus sign.
    if (!text.empty() && text.front() == '+') {
        text.remove_prefix(1);
        if (!text.empty() && text.front() == '-') {
            return std::nullopt;
        }
    }
    Real number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) {
        return std::nullopt;
    }
    if (number == Real{}) {
        return "0";
    }
    char buffer[64];
    return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, number).ptr);
}

double to_double(std::string_view canonical)
{
    double number = 0;
    std::from_chars(canonical.data(), canonical.data() + canonical.size(), number);
    return number;
}

} // namespace

std::optional<std::string> read_integer(std::string_view text, std::int64_t greatest)
{
    text = trim(text);
    const bool plus = !text.empty() && text.front() == '+';
    text.remove_prefix(plus ? 1 : 0);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool sign_again = plus && !text.empty() && text.front() == '-';
    if (error != std::errc{} || end != text.data() + text.size() || sign_again || number > greatest ||
        number < -greatest - 1) {
        return std::nullopt;
    }
    return std::to_string(number);
}

std::strong_ordering compare_integers(std::string_view left, std::string_view right)
{
    const bool negative = left.front() == '-';
    if (negative != (right.front() == '-')) {
        return negative ? std::strong_ordering::less : std::strong_ordering::greater;
    }
    const auto magnitude = left.size() != right.size() ? left.size() <=> right.size() : left <=> right;
    return negative ? 0 <=> magnitude : magnitude;
}

std::optional<std::string> read_numeric(std::string_view text)
{
    text = trim(text);
    if (auto special = read_special(text, false)) {
        return special;
    }
    const auto read = read_decimal(text);
    if (!read) {
        return std::nullopt;
    }
    if (read->digits.empty()) {
        return "0";
    }
    return (read->negative ? "-" : "") + read->digits + "e" + std::to_string(read->exponent);
}

std::string numeric_literal(const std::string& canonical)
{
    // Digits and an exponent, 125e2 for 0.125 * 10^2; or a word.
    const std::size_t sign = canonical.front() == '-' ? 1 : 0;
    const bool scaled = canonical.find('e') != std::string::npos;
    return scaled ? canonical.substr(0, sign) + "0." + canonical.substr(sign) : canonical;
}

std::strong_ordering compare_numerics(std::string_view left, std::string_view right)
{
    if (const int l = rank(left), r = rank(right); l != r || l != 1) {
        return l <=> r;
    }
    const parts l = split(left);
    const parts r = split(right);
    if (l.sign != r.sign) {
        return l.sign <=> r.sign;
    }
    const auto magnitude = l.exponent != r.exponent ? l.exponent <=> r.exponent : l.digits <=> r.digits;
    return l.sign < 0 ? 0 <=> magnitude : magnitude;
}

std::optional<std::string> read_floating(std::string_view text, bool single_precision)
{
    text = trim(text);
    if (auto special = read_special(text, true)) {
        return special;
    }
    return single_precision ? read_as<float>(text) : read_as<double>(text);
}

std::strong_ordering compare_floatings(std::string_view left, std::string_view right)
{
    if (const int l = rank(left), r = rank(right); l != r || l != 1) {
        return l <=> r;
    }
    const double l = to_double(left);
    const double r = to_double(right);
    if (l == r) {
        return std::strong_ordering::equal;
    }
    return l < r ? std::strong_ordering::less : std::strong_ordering::greater;
}

} // namespace rowcast::policy
