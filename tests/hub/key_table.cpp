#include "hub/key_table.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <random>
#include <set>

using rowcast::hub::key_table;

namespace {

std::multiset<int> found(const key_table<int>& in, std::uint64_t key)
{
    std::multiset<int> values;
    in.find(key, [&](int value) { values.insert(value); });
    return values;
}

} // namespace

TEST_CASE("a table of keys holds what was added and not removed, whatever the keys are")
{
    const auto spread = GENERATE(as<std::uint64_t>{}, 1, 4096, 0x9E3779B97F4A7C15U);
    const auto keys = GENERATE(as<std::size_t>{}, 5, 300, 5000);
    CAPTURE(spread, keys);
    std::mt19937_64 random(keys);
    key_table<int> table;
    std::multimap<std::uint64_t, int> model;
    for (int step = 1; step <= 20'000; ++step) {
        const std::uint64_t key = random() % keys * spread;
        const auto there = model.find(key);
        // Grows and shrinks by turns, so that places are taken and left in many orders.
        if (there == model.end() || random() % 100 < (step / 4000 % 2 == 0 ? 60 : 30)) {
            table.add(key, step);
            model.emplace(key, step);
        } else {
            table.remove(key, there->second);
            model.erase(there);
        }
    }
    for (std::size_t i = 0; i < keys; ++i) {
        const auto [begin, end] = model.equal_range(i * spread);
        std::multiset<int> wanted;
        std::for_each(begin, end, [&](const auto& each) { wanted.insert(each.second); });
        REQUIRE(found(table, i * spread) == wanted);
    }
    std::size_t all = 0;
    table.for_each([&](int) { ++all; });
    CHECK(all == model.size());
    while (!model.empty()) {
        table.remove(model.begin()->first, model.begin()->second);
        model.erase(model.begin());
    }
    CHECK(table.empty());
    CHECK(found(table, 0).empty());
}
