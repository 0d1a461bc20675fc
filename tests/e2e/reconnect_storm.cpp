#include <catch2/catch.hpp>

#include <algorithm>
#include <future>
#include <map>
#include <set>
#include <string>

#include "support/bridge_process.hpp"
#include "support/crowd.hpp"
#include "support/database.hpp"

namespace rowcast {
namespace {

using namespace std::chrono_literals;
using support::bridge_process;
using support::crowd;

constexpr std::size_t many = 2000; // bench/storm has more
const std::string rules = "tables: {public.t: [{roles: [anonymous]}]}\n";

struct storm {
    explicit storm(const bridge_process::options& how = {})
        : bridge(db.url(), rules, how)
    {
        db.execute("create table t (id bigint generated always as identity primary key, owner int not null, v text);"
                   "select rowcast.watch('t', notify => true)");
        bridge.start();
        everybody.clients.resize(many);
        for (std::size_t i = 0; i < many; ++i) {
            everybody.clients[i].wish = "\"table\":\"public.t\",\"where\":{\"owner\":{\"eq\":" + std::to_string(i) + "}}";
        }
        meet();
    }

    // A row for each owner, all in one transaction.
    void insert_for_each()
    {
        db.execute("insert into t(owner) select i from generate_series(0, " + std::to_string(many - 1) + ") i");
        ++inserted;
    }

    void meet()
    {
        const std::size_t before = everybody.clients.front().subscribed;
        everybody.connect();
        REQUIRE(everybody.run([&] { return everybody.all([&](const crowd::client& each) { return each.subscribed > before; }); }, 120s));
    }

    // And none stands in the middle of a transaction, where only the bridge that began it goes on from memory.
    void everybody_has_what_was_inserted()
    {
        everybody.run([&] { return everybody.all([&](const crowd::client& each) { return each.keys.size() >= inserted && !each.more; }); }, 120s);
        std::map<std::uint64_t, int> owners;
        for (const auto& row : db.execute("select id, owner from t where owner >= 0")) {
            owners[row[0].as<std::uint64_t>()] = row[1].as<int>();
        }
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < many; ++i) {
            const auto& keys = everybody.clients[i].keys;
            const bool right = keys.size() == inserted && std::is_sorted(keys.begin(), keys.end()) &&
                               std::set(keys.begin(), keys.end()).size() == inserted &&
                               std::all_of(keys.begin(), keys.end(), [&](std::uint64_t key) { return owners.at(key) == static_cast<int>(i); });
            wrong += right ? 0 : 1;
        }
        REQUIRE(wrong == 0);
    }

    void kill()
    {
        bridge.kill();
        REQUIRE(everybody.run([&] { return everybody.all([](const crowd::client& each) { return !each.connected; }); }, 60s));
        for (crowd::client& each : everybody.clients) {
            each.refused = false;
        }
    }

    bool all_resumed() const
    {
        return everybody.all([](const crowd::client& each) { return each.status == "resumed"; });
    }

    support::database db{support::with_rowcast};
    bridge_process bridge;
    crowd everybody{bridge.port()};
    std::size_t inserted = 0; // for each owner
};

} // namespace

TEST_CASE("Thousands who come back after a restart are served from memory, each exactly what it missed", "[serial]")
{
    storm s;
    s.insert_for_each();
    s.everybody_has_what_was_inserted();
    s.kill();
    s.insert_for_each();
    s.insert_for_each();
    s.bridge.start();
    s.meet();
    REQUIRE(s.all_resumed());
    s.everybody_has_what_was_inserted();
    REQUIRE(s.bridge.metric("rowcast_catch_up_passes_total") == 0);
    s.insert_for_each(); // and they are live
    s.everybody_has_what_was_inserted();
}

TEST_CASE("Thousands who come back from beyond the memory share a few passes over the log", "[serial]")
{
    storm s;
    s.insert_for_each();
    s.everybody_has_what_was_inserted();
    s.kill();
    s.insert_for_each();
    s.db.execute("insert into t(owner) select -1 from generate_series(1, 100000)"); // more than the ring begins with
    s.insert_for_each();
    s.bridge.start();
    s.meet();
    REQUIRE(s.all_resumed());
    s.everybody_has_what_was_inserted();
    REQUIRE(s.bridge.metric("rowcast_catch_up_readings_total") >= many);
    REQUIRE(s.bridge.metric("rowcast_catch_up_passes_total") <= many / 20.0);
    s.insert_for_each();
    s.everybody_has_what_was_inserted();
}

TEST_CASE("Thousands whom a restart sends away while others write come back once, when they were told to, and miss nothing", "[serial]")
{
    storm s({.held = true});
    const auto all_are_back = [&] { return s.everybody.all([](const crowd::client& each) { return each.subscribed == 2; }); };
    const auto stopped = std::async(std::launch::async, [&] { s.bridge.stop(); });
    s.insert_for_each();
    REQUIRE(s.everybody.run([&] { return stopped.wait_for(0s) == std::future_status::ready; }, 60s));
    s.insert_for_each();
    s.bridge.start();
    s.insert_for_each();
    REQUIRE(s.everybody.run(all_are_back, 120s));
    REQUIRE(s.all_resumed());
    REQUIRE(s.everybody.all([](const crowd::client& each) { return !each.refused; }));
    s.insert_for_each();
    s.everybody_has_what_was_inserted();
}

} // namespace rowcast
