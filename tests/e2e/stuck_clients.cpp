#include <catch2/catch.hpp>

#include <algorithm>
#include <string>

#include "support/bridge_process.hpp"
#include "support/crowd.hpp"
#include "support/database.hpp"

namespace rowcast {
namespace {

using namespace std::chrono_literals;
using support::crowd;

// bench/stuck has ten thousand, of whom a thousand are stuck, and a gigabyte: under 400 MB.
constexpr std::size_t sessions = 2'000;
constexpr std::size_t stuck = 200;
constexpr std::uint64_t most_memory = 300'000'000;
constexpr std::size_t read_at_last = 10;
constexpr std::size_t transactions = 40;
constexpr std::size_t rows_each = 1'000;
constexpr std::size_t row_bytes = 8'000; // 320 MB in all

} // namespace

TEST_CASE("Much passes many clients of whom some do not read: these keep little of it, and get everything when they read", "[serial]")
{
    support::database db{support::with_rowcast};
    db.execute("create table t (id bigint generated always as identity primary key, owner int not null, v text);"
               "select rowcast.watch('t', notify => true)");
    support::bridge_process bridge{db.url(), "tables: {public.t: [{roles: [anonymous]}]}\n"};
    bridge.start();
    crowd everybody{bridge.port()};
    everybody.clients.resize(sessions);
    const std::size_t owners = sessions - stuck;
    for (std::size_t i = 0; i < sessions; ++i) {
        everybody.clients[i].reads = i < owners;
        everybody.clients[i].wish = "\"table\":\"public.t\"";
        if (i < owners) {
            everybody.clients[i].wish += ",\"where\":{\"owner\":{\"eq\":" + std::to_string(i) + "}}";
        }
    }
    everybody.connect();
    REQUIRE(everybody.run([&] { return everybody.all([](const crowd::client& each) { return each.subscribed == 1; }); }, 120s));

    pqxx::connection connection = db.connect();
    const auto took = [](const crowd::client& each) { return each.keys.size(); };
    std::size_t got = 0;
    for (std::size_t i = 0; i < transactions; ++i) {
        pqxx::work writer{connection};
        writer.exec("insert into t(owner, v) select (" + std::to_string(i * rows_each) + " + j) % " + std::to_string(owners) +
                    ", repeat(md5(j::text), " + std::to_string(row_bytes / 32) + ") from generate_series(0, " + std::to_string(rows_each - 1) + ") j");
        writer.commit();
        const std::size_t expected = (i + 1) * rows_each;
        REQUIRE(everybody.run(
            [&] {
                got = 0;
                for (std::size_t j = 0; j < owners; ++j) {
                    got += took(everybody.clients[j]);
                }
                return got >= expected;
            },
            60s));
    }
    REQUIRE(got == transactions * rows_each);
    for (std::size_t i = 0; i < owners; ++i) {
        const auto& keys = everybody.clients[i].keys;
        for (std::size_t j = 0; j < keys.size(); ++j) {
            if (keys[j] != 1 + i + j * owners) {
                FAIL("client " << i << " got another row");
            }
        }
    }
    REQUIRE(bridge.memory("VmHWM") < most_memory);

    const auto late = everybody.clients.end() - read_at_last;
    for (auto each = late; each != everybody.clients.end(); ++each) {
        if (each->connected) {
            everybody.let_read(*each);
        }
    }
    REQUIRE(everybody.run([&] { return std::all_of(late, everybody.clients.end(), [&](const auto& each) { return took(each) >= transactions * rows_each; }); }, 180s));
    for (auto each = late; each != everybody.clients.end(); ++each) {
        REQUIRE(each->connected);
        REQUIRE(each->keys.size() == transactions * rows_each);
        REQUIRE(std::is_sorted(each->keys.begin(), each->keys.end()));
        REQUIRE(each->keys.back() == transactions * rows_each);
    }
    REQUIRE(bridge.memory("VmHWM") < most_memory);
}

} // namespace rowcast
