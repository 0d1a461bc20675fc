#include <memory>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/running_bridge.hpp"
#include "support/database.hpp"
#include "support/websocket_client.hpp"

namespace rowcast {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using support::database;
using support::http_client;
using support::websocket_client;
using support::with_rowcast;
using test::running_bridge;

const http_client::headers proper{{"Authorization", "Bearer a token of the operators"}, {"Content-Type", "application/json"}};

config::configuration with_operators(const database& db)
{
    db.execute("create table t (id int primary key, v text); select rowcast.watch('t', columns => '{id}', notify => true)");
    auto settings = test::open_to_all(db.url(), 100ms);
    settings.server.admin_token = "a token of the operators";
    return settings;
}

} // namespace

TEST_CASE("Who has more of a table captured than before is warned, as PostgreSQL warns")
{
    const database db{with_rowcast};
    const running_bridge bridge(with_operators(db));
    http_client operators(bridge.admin_port());
    const auto watch = [&](const json& wanted) { return json::parse(operators.request("POST", "/admin/watch", proper, wanted.dump()).body); };
    CHECK(watch({{"table", "t"}, {"columns", {"id"}}, {"notify", true}}) == json{{"table", "public.t"}, {"warnings", json::array()}});
    const json more = watch({{"table", "t"}, {"notify", true}});
    REQUIRE(more.at("warnings").size() == 1);
    CHECK(more.at("warnings")[0].get<std::string>().find("from now on these columns are captured as well: v") != std::string::npos);
}

TEST_CASE("Sessions are listed page by page, each once, whatever their users are called")
{
    const database db{with_rowcast};
    const running_bridge bridge(with_operators(db));
    std::vector<std::unique_ptr<websocket_client>> clients;
    for (int i = 0; i < 5; ++i) {
        clients.push_back(std::make_unique<websocket_client>(bridge.port()));
        clients.back()->send({{"type", "subscribe"}, {"id", "o"}, {"table", "public.t"}});
        clients.back()->await("subscribed");
    }
    http_client operators(bridge.admin_port());
    std::set<std::string> seen;
    std::string after;
    do {
        const json page = json::parse(operators.get("/admin/sessions?limit=2" + after, proper).body);
        CHECK(page.at("matching") == 5);
        CHECK(page.at("sessions").size() <= 2);
        for (const json& each : page.at("sessions")) {
            CHECK(seen.insert(each.at("session")).second);
        }
        after = page.contains("next") ? "&after=" + page.at("next").get<std::string>() : "";
    } while (!after.empty());
    CHECK(seen.size() == 5);
}

TEST_CASE("What an operator's call does not take is refused by its name")
{
    const database db{with_rowcast};
    const running_bridge bridge(with_operators(db));
    http_client operators(bridge.admin_port());
    for (const std::string path : {"bridge", "database", "health", "rollout", "rules", "sessions"}) {
        const auto refused = operators.get("/admin/" + path + "?odd=1", proper);
        INFO(path << ": " << refused.body);
        CHECK(refused.status == 400);
        CHECK(refused.body.find("has no member 'odd'") != std::string::npos);
    }
    for (const std::string path : {"disconnect", "reload", "revoke", "rollout", "unwatch", "watch"}) {
        const auto refused = operators.request("POST", "/admin/" + path, proper, R"({"odd":1})");
        INFO(path << ": " << refused.body);
        CHECK(refused.status == 400);
        CHECK(refused.body.find("has no member 'odd'") != std::string::npos);
    }
}

} // namespace rowcast
