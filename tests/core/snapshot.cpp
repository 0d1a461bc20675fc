#include "core/snapshot.hpp"

#include <catch2/catch.hpp>

using namespace rowcast::core;

namespace {

snapshot shot(std::string_view text)
{
    return snapshot::parse(text).value();
}

} // namespace

TEST_CASE("a snapshot reads PostgreSQL's text and writes it again")
{
    for (const auto* text : {"1:1:", "10:20:", "10:20:10", "10:20:10,14,19", "9223372036854775807:9223372036854775807:",
                             "18446744073709551615:18446744073709551615:"}) {
        CAPTURE(text);
        CHECK(shot(text).to_string() == text);
    }
}

TEST_CASE("what is no snapshot is refused")
{
    for (const auto* text : {"",
                             ":",
                             "::",
                             "10",
                             "10:20",
                             "10:",
                             "10:20:10,",
                             "10:20:,10",
                             "10:20:14,10",
                             "10:20:10,10",
                             "10:20:9",
                             "10:20:20",
                             "20:10:",
                             "0:0:",
                             "0:5:",
                             "a:b:",
                             "-1:5:",
                             "+1:5:",
                             " 1:5:",
                             "1:5: ",
                             "1:5:x",
                             "1:5::",
                             "18446744073709551616:18446744073709551616:",
                             "10:20:10;11"}) {
        CAPTURE(text);
        const auto read = snapshot::parse(text);
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().code == error_code::cursor_malformed);
    }
}

TEST_CASE("a snapshot sees what was finished when it was taken")
{
    const snapshot some = shot("10:20:10,14,19");
    for (transaction_id xid = 0; xid < 30; ++xid) {
        CAPTURE(xid);
        CHECK(some.sees(xid) == (xid < 20 && xid != 10 && xid != 14 && xid != 19));
    }
}

TEST_CASE("one snapshot includes another where it sees everything that the other sees")
{
    // Against the definition, over all small snapshots.
    std::vector<snapshot> all;
    for (transaction_id xmin = 1; xmin <= 4; ++xmin) {
        for (transaction_id xmax = xmin; xmax <= 5; ++xmax) {
            for (unsigned open = 0; open < (1U << (xmax - xmin)); ++open) {
                snapshot made{xmin, xmax, {}};
                for (transaction_id xid = xmin; xid < xmax; ++xid) {
                    if ((open >> (xid - xmin)) & 1U) {
                        made.in_progress.push_back(xid);
                    }
                }
                all.push_back(made);
            }
        }
    }
    for (const snapshot& left : all) {
        for (const snapshot& right : all) {
            bool expected = true;
            for (transaction_id xid = 0; xid < 7; ++xid) {
                expected = expected && (left.sees(xid) || !right.sees(xid));
            }
            CAPTURE(left.to_string(), right.to_string());
            CHECK(left.includes(right) == expected);
        }
    }
}

TEST_CASE("including is decided at once, however far apart two snapshots are")
{
    CHECK_FALSE(shot("1:1:").includes(shot("18446744073709551615:18446744073709551615:")));
    CHECK(shot("18446744073709551615:18446744073709551615:").includes(shot("1:1:")));
}
