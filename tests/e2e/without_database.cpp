#include <catch2/catch.hpp>

#include "app/bridge.hpp"
#include "support/free_port.hpp"
#include "support/http_client.hpp"

#include <nlohmann/json.hpp>

namespace rowcast {

TEST_CASE("A bridge that has not reached its database yet asks for patience, and does not say that a table is unknown")
{
    config::configuration settings;
    settings.database.url = "postgresql://nobody@127.0.0.1:" + std::to_string(support::free_port()) + "/nowhere";
    settings.server.listen = {{{"127.0.0.1", 0}}};
    settings.server.admin = settings.server.listen.front();
    settings.rules.tables["public.orders"].push_back({{}, {}, std::nullopt, {}});
    app::bridge bridge(settings, {});
    bridge.start();
    support::http_client client(bridge.port());
    const auto answer = client.get("/v1/changes?table=public.orders");
    CHECK(answer.status == 503);
    CHECK(nlohmann::json::parse(answer.body).at("code") == "unavailable");
    CHECK_FALSE(bridge.not_ready().empty());
    bridge.stop(std::chrono::milliseconds(0));
}

} // namespace rowcast
