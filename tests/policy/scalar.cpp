#include "policy/scalar.hpp"

#include "policy/predicate.hpp"

#include <catch2/catch.hpp>

using namespace rowcast::policy;

namespace {

std::optional<std::string> literal(type_family family, std::string_view text)
{
    return canonical_literal(family, text);
}

// Whether a column that the row shows as `json` equals the literal.
bool equal(type_family family, std::string_view json, std::string_view text)
{
    const auto left = canonical(family, json);
    const auto right = canonical_literal(family, text);
    REQUIRE(left);
    REQUIRE(right);
    return *left == *right;
}

/// Below, at or above zero.
int order(type_family family, std::string_view left, std::string_view right)
{
    const auto found = compare({"", "", family}, literal(family, left).value(), literal(family, right).value());
    return found < 0 ? -1 : found > 0 ? 1 : 0;
}

} // namespace

TEST_CASE("null, and what is no value of the type, have no canonical text")
{
    for (const auto family :
         {type_family::boolean, type_family::integer, type_family::text, type_family::uuid, type_family::timestamptz}) {
        CHECK_FALSE(canonical(family, "null"));
        CHECK_FALSE(canonical(family, "{}"));
        CHECK_FALSE(canonical(family, ""));
        CHECK(index_key(family, "null").empty());
    }
    CHECK_FALSE(canonical(type_family::integer, "true"));
    CHECK_FALSE(canonical(type_family::text, "5"));
    CHECK_FALSE(canonical(type_family::other, "5"));
    CHECK_FALSE(literal(type_family::text, std::string_view("a\0b", 3)));
}

TEST_CASE("booleans are read as PostgreSQL reads them")
{
    for (const auto* yes : {"true", "t", "TRUE", "tr", "yes", "y", "on", "1", "  t "}) {
        CHECK(equal(type_family::boolean, "true", yes));
    }
    for (const auto* no : {"false", "f", "no", "off", "of", "0"}) {
        CHECK(equal(type_family::boolean, "false", no));
    }
    for (const auto* bad : {"o", "2", "", "truey", "10"}) {
        CAPTURE(bad);
        CHECK_FALSE(literal(type_family::boolean, bad));
    }
}

TEST_CASE("integers keep every digit")
{
    CHECK(equal(type_family::bigint, "9223372036854775807", "9223372036854775807"));
    CHECK_FALSE(equal(type_family::bigint, "9007199254740993", "9007199254740992"));
    CHECK(equal(type_family::bigint, "42", " +0042 "));
    CHECK(equal(type_family::bigint, "0", "-0"));
    for (const auto* bad : {"abc", "1.0", "1e2", "", "-", "0x10", "1 2", "--1", "+-1"}) {
        CAPTURE(bad);
        CHECK_FALSE(literal(type_family::bigint, bad));
    }
    CHECK(literal(type_family::bigint, "-9223372036854775808"));
    CHECK_FALSE(literal(type_family::bigint, "9223372036854775808"));
    CHECK(literal(type_family::integer, "-2147483648"));
    CHECK_FALSE(literal(type_family::integer, "2147483648"));
    CHECK(literal(type_family::smallint, "-32768"));
    CHECK_FALSE(literal(type_family::smallint, "32768"));
    CHECK(order(type_family::bigint, "-10", "-9") < 0);
    CHECK(order(type_family::bigint, "99", "100") < 0);
    CHECK(order(type_family::bigint, "-1", "0") < 0);
}

TEST_CASE("numerics are equal by value, whatever their scale")
{
    CHECK(equal(type_family::numeric, "1.50", "1.5"));
    CHECK(equal(type_family::numeric, "1.5", "150e-2"));
    CHECK(equal(type_family::numeric, "0.000", "-0"));
    CHECK(equal(type_family::numeric, "1000", "1E3"));
    CHECK(equal(type_family::numeric, "0.001", ".1e-2"));
    CHECK(equal(type_family::numeric, "\"NaN\"", "nan"));
    CHECK(equal(type_family::numeric, "\"-Infinity\"", "-inf"));
    CHECK_FALSE(equal(type_family::numeric, "123456789012345678901234567890.1", "123456789012345678901234567890.2"));
    for (const auto* bad :
         {"", ".", "1e", "1e+-2", "e5", "1.2.3", "-nan", "0x1", "1e999999999", "1e-99999", "1e99999999999999"}) {
        CAPTURE(bad);
        CHECK_FALSE(literal(type_family::numeric, bad));
    }
    CHECK(order(type_family::numeric, "0.9", "1") < 0);
    CHECK(order(type_family::numeric, "-0.9", "-1") > 0);
    CHECK(order(type_family::numeric, "1.23", "1.2") > 0);
    CHECK(order(type_family::numeric, "nan", "infinity") > 0);
    CHECK(order(type_family::numeric, "-1e9", "0") < 0);
    CHECK(order(type_family::numeric, "0", "1e-9") < 0);
}

TEST_CASE("floating-point values are rounded to the column's precision, and NaN equals itself")
{
    CHECK(equal(type_family::real, "0.1", "0.1"));
    CHECK(equal(type_family::real, "0.1", "0.100000001490116"));
    CHECK_FALSE(equal(type_family::double_precision, "0.1", "0.100000001490116"));
    CHECK(equal(type_family::double_precision, "-0", "0"));
    CHECK(equal(type_family::double_precision, "1e+300", "1e300"));
    CHECK(equal(type_family::double_precision, "\"NaN\"", "NaN"));
    CHECK(equal(type_family::real, "16777216", "16777217"));
    CHECK_FALSE(literal(type_family::double_precision, "1e400"));
    CHECK_FALSE(literal(type_family::real, "1e39"));
    CHECK_FALSE(literal(type_family::real, "abc"));
    CHECK_FALSE(literal(type_family::real, "nan(1)"));
    CHECK_FALSE(literal(type_family::real, "+-1"));
    CHECK(order(type_family::double_precision, "-1.5e3", "2") < 0);
    CHECK(order(type_family::double_precision, "nan", "inf") > 0);
}

TEST_CASE("texts are compared byte by byte, padded ones without their trailing blanks")
{
    CHECK(equal(type_family::text, R"("é")", "é"));
    CHECK(equal(type_family::text, R"("é\n\"")", "é\n\""));
    CHECK_FALSE(equal(type_family::text, R"("a ")", "a"));
    CHECK(equal(type_family::padded_text, R"("ab   ")", "ab "));
    CHECK_FALSE(equal(type_family::padded_text, R"(" ab")", "ab"));
    CHECK(equal(type_family::padded_text, R"("   ")", ""));
    CHECK_FALSE(index_key(type_family::text, R"("")").empty());
    CHECK_FALSE(index_key(type_family::padded_text, R"("  ")").empty());
}

TEST_CASE("uuids have many spellings")
{
    const auto* const json = R"("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")";
    for (const auto* same : {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
                             "{a0eebc999c0b4ef8bb6d6bb9bd380a11}", "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11"}) {
        CHECK(equal(type_family::uuid, json, same));
    }
    for (const auto* bad : {"", "a0eebc99", "a0eebc99--9c0b4ef8bb6d6bb9bd380a11", "-a0eebc999c0b4ef8bb6d6bb9bd380a11",
                            "a0eebc999c0b4ef8bb6d6bb9bd380a11-", "g0eebc999c0b4ef8bb6d6bb9bd380a11", "{", "{}",
                            "a0e-ebc999c0b4ef8bb6d6bb9bd380a11"}) {
        CAPTURE(bad);
        CHECK_FALSE(literal(type_family::uuid, bad));
    }
}

TEST_CASE("dates are ISO 8601 and real days")
{
    CHECK(equal(type_family::date, R"("2026-11-21")", " 2026-11-21 "));
    CHECK(equal(type_family::date, R"("infinity")", "Infinity"));
    CHECK(equal(type_family::date, R"("0044-03-15 BC")", "0044-03-15 bc"));
    CHECK(literal(type_family::date, "2024-02-29"));
    CHECK(literal(type_family::date, "0001-02-29 BC"));
    CHECK(literal(type_family::date, "4714-11-24 BC"));
    CHECK(literal(type_family::date, "5874897-12-31"));
    for (const auto* bad : {"2024-13-40", "2023-02-29", "2024-04-31", "0000-01-01", "21/11/2026", "today",
                            "2026-11-21T00:00", "", "26-01-01", "4714-11-23 BC", "5874898-01-01", "-2026-01-01"}) {
        CAPTURE(bad);
        CHECK_FALSE(literal(type_family::date, bad));
    }
    CHECK(order(type_family::date, "0044-03-15 BC", "0001-01-01") < 0);
    CHECK(order(type_family::date, "9999-12-31", "10000-01-01") < 0);
    CHECK(order(type_family::date, "infinity", "5874897-12-31") > 0);
    CHECK(order(type_family::date, "-infinity", "4714-11-24 BC") < 0);
}

TEST_CASE("timestamps are instants, however they are written")
{
    const auto* const json = R"("2026-11-21T10:00:00.123+00:00")";
    for (const auto* same : {"2026-11-21T10:00:00.123Z", "2026-11-21 12:00:00.123000+02", "2026-11-21t10:00:00.123",
                             "2026-11-21T04:30:00.123-05:30"}) {
        CHECK(equal(type_family::timestamptz, json, same));
    }
    CHECK(equal(type_family::timestamptz, R"("2026-11-21T00:00:00+00:00")", "2026-11-21"));
    CHECK(equal(type_family::timestamp, R"("2026-11-21T10:00:00")", "2026-11-21T10:00+02:00"));
    CHECK(equal(type_family::timestamp, R"("-infinity")", "-infinity"));
    CHECK(literal(type_family::timestamp, "294276-12-31 23:59:59.999999"));
    CHECK(literal(type_family::timestamptz, "294277-01-01 01:00:00+02"));
    CHECK(literal(type_family::timestamp, "4714-11-24 00:00:00 BC"));
    for (const auto* bad : {"2026-11-21T24:00:00", "2026-11-21T10", "2026-11-21T10:00:00.1234567", "2026-11-21T10:60",
                            "2026-11-21T10:00+16", "now", "2026-11-21T10:00:00.", "2026-11-21T10:00+02:",
                            "294277-01-01", "5874897-12-31", "2026-11-21T10:00:00Zx", "4714-11-24 00:00:00+01 BC"}) {
        CAPTURE(bad);
        CHECK_FALSE(literal(type_family::timestamptz, bad));
    }
    CHECK(order(type_family::timestamptz, "2026-11-21T10:00:00.000001Z", "2026-11-21T10:00:00Z") > 0);
}
