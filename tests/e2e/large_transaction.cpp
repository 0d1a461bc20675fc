#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <string>

#include "support/bridge_process.hpp"
#include "support/crowd.hpp"
#include "support/database.hpp"
#include "support/http_client.hpp"

namespace rowcast {
namespace {

using namespace std::chrono_literals;
using support::crowd;

constexpr std::uint64_t rows = 1'000'000;

bool is_one_to(const std::vector<std::uint64_t>& keys, std::uint64_t last)
{
    for (std::uint64_t i = 0; i < keys.size(); ++i) {
        if (keys[i] != i + 1) {
            return false;
        }
    }
    return keys.size() == last;
}

} // namespace

TEST_CASE("A transaction of a million rows arrives in pages, a client that drops in its middle gets the rest, and memory stays small", "[serial][long]")
{
    support::database db{support::with_rowcast};
    db.execute("create table t (id bigint primary key, v text); select rowcast.watch('t', notify => true)");
    support::bridge_process bridge{db.url(), "tables: {public.t: [{roles: [anonymous]}]}\n"};
    bridge.start();

    crowd one{bridge.port()};
    one.clients.resize(1);
    crowd::client& client = one.clients.front();
    client.wish = "\"table\":\"public.t\"";
    one.connect();
    REQUIRE(one.run([&] { return client.subscribed == 1; }, 20s));
    std::string cursor = nlohmann::json::parse(support::http_client(bridge.port()).get("/v1/changes?table=public.t").body).at("cursor");

    pqxx::connection connection = db.connect();
    pqxx::work writer{connection};
    writer.exec("insert into t select i, 'row ' || i from generate_series(1, " + std::to_string(rows) + ") i");
    writer.commit();

    // Early, when the ring still reaches the place, and late, when it has moved on meanwhile.
    for (const std::uint64_t drop : {rows / 10, rows / 2, rows * 9 / 10}) {
        REQUIRE(one.run([&] { return client.keys.size() >= drop && client.more; }, 120s));
        REQUIRE(client.keys.size() < rows);
        const std::size_t before = client.subscribed;
        one.disconnect(client);
        one.connect();
        REQUIRE(one.run([&] { return client.subscribed > before; }, 120s));
        REQUIRE(client.status == "resumed");
    }
    REQUIRE(one.run([&] { return client.keys.size() >= rows; }, 120s));
    REQUIRE(!client.more);
    REQUIRE(is_one_to(client.keys, rows));
    one.disconnect(client);

    support::http_client polling(bridge.port());
    std::vector<std::uint64_t> polled;
    for (bool more = true; more;) {
        const auto answer = polling.get("/v1/changes?table=public.t&columns=id&limit=10000&after=" + cursor);
        REQUIRE(answer.status == 200);
        const nlohmann::json page = nlohmann::json::parse(answer.body);
        cursor = page.at("cursor");
        more = page.at("more");
        for (const auto& event : page.at("events")) {
            polled.push_back(event.at("row").at("id"));
        }
    }
    REQUIRE(is_one_to(polled, rows));
    INFO("the bridge had " << bridge.memory("VmHWM") / 1'000'000 << " MB");
    REQUIRE(bridge.memory("VmHWM") < 200'000'000);
}

} // namespace rowcast
