#include <csignal>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "app/running_bridge.hpp"
#include "auth/authenticator.hpp"
#include "protocol/json.hpp"
#include "support/database.hpp"
#include "support/free_port.hpp"
#include "support/paths.hpp"
#include "support/process.hpp"
#include "support/websocket_client.hpp"

namespace rowcast {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using support::connect_as;
using support::database;
using support::http_client;
using support::websocket_client;
using support::with_rowcast;
using test::running_bridge;

config::jwt_key key(const std::string& secret)
{
    config::jwt_key made;
    made.algorithm = "HS256";
    made.secret = secret;
    return made;
}

const config::jwt_key first_key = key("the first secret, long enough for it");
const config::jwt_key second_key = key("the second secret, long enough too");

std::string token(const config::jwt_key& by)
{
    return auth::issue(*protocol::parse_json(R"({"sub":"ann"})"), by);
}

void make_table(const database& db)
{
    db.execute("create table t (id int primary key, v text); select rowcast.watch('t', notify => true)");
}

void subscribe(websocket_client& client, const std::string& id)
{
    client.send({{"type", "subscribe"}, {"id", id}, {"table", "public.t"}});
}

// The first rule of public.t gives these columns from now on.
config::configuration with_columns(config::configuration settings, std::vector<std::string> columns)
{
    settings.rules.tables.at("public.t").at(0).columns = std::move(columns);
    return settings;
}

} // namespace

TEST_CASE("A tightened rule reaches open sessions, which are told and not dropped")
{
    const database db{with_rowcast};
    make_table(db);
    const auto settings = test::open_to_all(db.url(), 100ms);
    running_bridge bridge(settings);
    websocket_client client(bridge.port());
    subscribe(client, "o");
    client.await("subscribed");

    bridge.next = with_columns(settings, {"id"});
    REQUIRE(bridge.reload().empty());
    CHECK(client.await("resync").at("reason") == "permissions_changed");
    subscribe(client, "o");
    client.await("subscribed");
    db.execute("insert into t values (1, 'x')");
    CHECK(client.await("changes").at("events").at(0).at("row") == json{{"id", 1}});

    bridge.next = settings;
    REQUIRE(bridge.reload().empty());
    client.await("resync");
    subscribe(client, "o");
    client.await("subscribed");
    db.execute("insert into t values (2, 'x')");
    CHECK(client.await("changes").at("events").at(0).at("row") == json{{"id", 2}, {"v", "x"}});
}

TEST_CASE("A configuration that does not fit the tables, or whose key cannot be used, changes nothing")
{
    const database db{with_rowcast};
    make_table(db);
    auto settings = test::open_to_all(db.url(), 100ms);
    settings.auth.jwt = {first_key};
    running_bridge bridge(settings);
    auto client = connect_as(bridge.port(), token(first_key));

    bridge.next = with_columns(settings, {"id", "nothing"});
    CHECK(bridge.reload().size() == 1);
    auto unusable = settings;
    unusable.auth.jwt = {{.algorithm = "RS256", .secret = {}, .public_key = "/nowhere.pem", .jwks = {}, .issuer = {}, .audience = {}, .roles_claim = {}, .at = {}}};
    bridge.next = unusable;
    CHECK(bridge.reload().size() == 1);
    bridge.next = std::vector<config::problem>{{{3, 5}, "unknown key 'tabels'"}};
    CHECK(bridge.reload().size() == 1);
    CHECK(bridge.got.count<observe::reload_refused>() == 3);
    CHECK(bridge.got.wait_for<observe::reload_refused>([](const auto& each) { return each.problems.at(0) == "bridge.yaml:3:5: error: unknown key 'tabels'"; })
              .problems.size() == 1);
    client.send({{"type", "ping"}, {"id", 1}});
    client.await("pong");
    CHECK(http_client(bridge.port()).get("/v1/session", {{"Authorization", "Bearer " + token(first_key)}}).status == 200);
}

TEST_CASE("A rule for a table that was watched a moment ago fits it, though the bridge has not looked since")
{
    const database db{with_rowcast};
    make_table(db);
    auto settings = test::open_to_all(db.url(), 1h);
    running_bridge bridge(settings);
    db.execute("create table fresh (id int primary key); select rowcast.watch('fresh', notify => false)");

    settings.rules.tables["public.fresh"] = settings.rules.tables.at("public.t");
    bridge.next = settings;
    REQUIRE(bridge.reload().empty());
    CHECK(http_client(bridge.port()).get("/v1/changes?table=public.fresh").status == 200);
    settings.rules.tables["public.elsewhere"] = settings.rules.tables.at("public.t");
    bridge.next = settings;
    CHECK(bridge.reload().size() == 1);
}

TEST_CASE("A key that is taken away ends the sessions that it let in, and no others")
{
    const database db{with_rowcast};
    make_table(db);
    auto settings = test::open_to_all(db.url(), 100ms);
    settings.auth.jwt = {first_key, second_key};
    running_bridge bridge(settings);
    auto leaves = connect_as(bridge.port(), token(first_key));
    auto stays = connect_as(bridge.port(), token(second_key));

    settings.auth.jwt = {second_key};
    bridge.next = settings;
    REQUIRE(bridge.reload().empty());
    CHECK(leaves.await("error").at("code") == "token_invalid");
    CHECK_FALSE(leaves.receive());
    CHECK(leaves.close_code() == 4401);
    stays.send({{"type", "ping"}, {"id", 1}});
    stays.await("pong");
    CHECK(http_client(bridge.port()).get("/v1/session", {{"Authorization", "Bearer " + token(first_key)}}).status == 401);
}

TEST_CASE("Limits and origins change for new connections; what needs a restart is named")
{
    const database db{with_rowcast};
    make_table(db);
    auto settings = test::open_to_all(db.url(), 100ms);
    running_bridge bridge(settings);
    settings.server.limits.subscriptions_per_session = 1;
    settings.server.origins = {"https://app.example.com"};
    settings.server.listen.front().at.port = 1;
    bridge.next = settings;
    REQUIRE(bridge.reload().empty());
    CHECK(bridge.got.wait_for<observe::configuration_reloaded>().needs_restart == std::vector<std::string>{"server.listen"});
    REQUIRE(support::eventually([&] { // shard by shard
        return http_client(bridge.port()).get("/v1/session", {{"Origin", "https://app.example.com"}}).status == 200 &&
               http_client(bridge.port()).get("/v1/session", {{"Origin", "https://app.example.com"}}).status == 200;
    }));
    websocket_client client(bridge.port());
    subscribe(client, "a");
    subscribe(client, "b");
    CHECK(client.await("error").at("code") == "too_many_subscriptions");
}

TEST_CASE("A bridge reads its file again on SIGHUP and when an operator asks, and tells what is wrong with it")
{
    const database db{with_rowcast};
    make_table(db);
    const std::uint16_t port = support::free_port();
    const std::uint16_t admin_port = support::free_port();
    const auto file = std::filesystem::temp_directory_path() / ("rowcast-reload-" + std::to_string(port) + ".yaml");
    const std::string beginning = "database: {url: \"" + db.url() + "\"}\nserver: {listen: \"127.0.0.1:" + std::to_string(port) +
                                  "\", admin: \"127.0.0.1:" + std::to_string(admin_port) + "\", admin_token: \"0123456789abcdef\"}\ntables:\n";
    const auto write = [&](const std::string& rules) { std::ofstream(file) << beginning << rules; };
    write("  public.t: [{columns: [id, v]}]\n");
    support::process serve({support::rowcast_binary(), "serve", "--config", file});
    REQUIRE(support::eventually([&] {
        try {
            return http_client(port).get("/readyz").status == 200;
        } catch (const std::exception&) {
            return false;
        }
    }));
    websocket_client client(port);
    subscribe(client, "o");
    client.await("subscribed");
    const auto operators = [&](const std::string& path, const std::string& body) {
        return http_client(admin_port).request("POST", path, {{"Authorization", "Bearer 0123456789abcdef"}, {"Content-Type", "application/json"}}, body);
    };

    write("  public.t: [{colums: [id]}]\n");
    serve.signal(SIGHUP);
    CHECK(serve.error_line_with("the old one stays").find(file.string() + ":4:") != std::string::npos);
    const auto refused = operators("/admin/reload", "{}");
    CHECK(refused.status == 422);
    CHECK(json::parse(refused.body).at("problems").at(0).at("line") == 4);
    CHECK(json::parse(refused.body).at("code") == "configuration_invalid");

    write("  public.t: [{columns: [id]}]\n");
    serve.signal(SIGHUP);
    CHECK(client.await("resync").at("reason") == "permissions_changed");
    subscribe(client, "o");
    client.await("subscribed");
    write("  public.t: [{columns: [id, v]}]\nlog: {level: warn}\n");
    const auto done = operators("/admin/reload", "");
    CHECK(done.body == R"({"needs_restart":[]})");
    client.await("resync");
    CHECK(operators("/admin/reload", R"({"now":true})").status == 400);

    const std::string metrics = http_client(admin_port).get("/metrics").body;
    CHECK(metrics.find("rowcast_reloads_total{result=\"success\"} 2\n") != std::string::npos);
    CHECK(metrics.find("rowcast_reloads_total{result=\"failure\"} 2\n") != std::string::npos);
    serve.signal(SIGTERM);
    CHECK(serve.wait() == 0);
    std::filesystem::remove(file);
}

} // namespace rowcast
