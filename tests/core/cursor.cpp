#include "core/cursor.hpp"

#include "core/base64url.hpp"

#include <catch2/catch.hpp>

using namespace rowcast::core;

namespace {

const std::string key = "0123456789abcdef";
const cursor_codec codec("one log", key);

cursor at(std::string_view text)
{
    return {snapshot::parse(text).value(), std::nullopt};
}

cursor inside(std::string_view seen, std::string_view target, place last)
{
    return {snapshot::parse(seen).value(), cursor::progress{snapshot::parse(target).value(), last}};
}

error_code refusal(std::string_view text)
{
    const auto read = codec.open(text);
    REQUIRE_FALSE(read.has_value());
    return read.error().code;
}

/// As many open transactions as a cursor takes, two bytes apart.
snapshot crowded()
{
    snapshot made{1'000'000'000'000, 0, {}};
    for (transaction_id i = 0; i < 8 * 1024; ++i) {
        made.in_progress.push_back(made.xmin + i * 200);
    }
    made.xmax = made.in_progress.back() + 1;
    return made;
}

} // namespace

TEST_CASE("a cursor is what was sealed")
{
    for (const cursor& each :
         {at("1:1:"), at("10:20:10,14,19"), at("18446744073709551615:18446744073709551615:"),
          inside("10:20:10", "15:30:17", {981, 977}), inside("1:1:", "1:2:", {UINT64_MAX, UINT64_MAX})}) {
        const std::string text = codec.seal(each);
        CHECK(codec.open(text).value() == each);
        CHECK(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
              std::string::npos);
    }
}

TEST_CASE("an idle server's cursor is short")
{
    CHECK(codec.seal(at("74210:74210:")).size() < 32);
}

TEST_CASE("the largest snapshots fit")
{
    const cursor large{crowded(), cursor::progress{crowded(), {5, 4}}};
    CHECK(codec.open(codec.seal(large)).value() == large);
}

TEST_CASE("a cursor cannot be changed, cut, lengthened or made up")
{
    const std::string good = codec.seal(inside("10:20:10", "15:30:17", {981, 977}));
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (const char other : {'A', 'B', '_', '!'}) {
            std::string bad = good;
            bad[i] = other;
            if (bad != good) {
                const auto read = codec.open(bad);
                REQUIRE_FALSE(read.has_value());
                CHECK((read.error().code == error_code::cursor_malformed ||
                       read.error().code == error_code::cursor_foreign));
            }
        }
        CHECK_FALSE(codec.open(good.substr(0, i)).has_value());
    }
    CHECK(refusal(good + "A") == error_code::cursor_malformed);
    CHECK(refusal(good + good) == error_code::cursor_malformed);
    CHECK(refusal("") == error_code::cursor_malformed);
    CHECK(refusal("10:20:10") == error_code::cursor_malformed);
    CHECK(refusal(std::string(cursor_codec::longest + 1, 'A')) == error_code::cursor_malformed);
    CHECK(refusal(std::string(cursor_codec::longest, 'A')) == error_code::cursor_malformed);
    CHECK(cursor_codec("one log", "0123456789abcdeX").open(good).error().code == error_code::cursor_malformed);
}

TEST_CASE("a cursor of another log is foreign")
{
    CHECK(cursor_codec("other log", key).open(codec.seal(at("10:20:"))).error().code == error_code::cursor_foreign);
}

TEST_CASE("a well signed cursor that makes no sense is refused")
{
    // What only somebody with the key could make: a program's mistake must not become a wrong snapshot.
    for (const snapshot& senseless :
         {snapshot{0, 0, {}}, snapshot{20, 10, {}}, snapshot{10, 20, {14, 12}}, snapshot{10, 20, {25}}}) {
        CHECK(refusal(codec.seal({senseless, std::nullopt})) == error_code::cursor_malformed);
    }
}

TEST_CASE("a cursor covers what its snapshot sees, and inside a step what was delivered of it")
{
    const cursor plain = at("10:20:14");
    CHECK(plain.covers(9, {}));
    CHECK_FALSE(plain.covers(14, {}));
    CHECK_FALSE(plain.covers(20, {}));

    const cursor part = inside("10:20:14", "20:30:25", {100, 97});
    CHECK(part.covers(14, {100, 97}));
    CHECK(part.covers(14, {99, 99}));
    CHECK_FALSE(part.covers(14, {100, 98}));
    CHECK_FALSE(part.covers(14, {101, 1}));
    CHECK(part.covers(9, {500, 500}));
    CHECK_FALSE(part.covers(25, {1, 1}));
    CHECK_FALSE(part.covers(30, {1, 1}));
}
