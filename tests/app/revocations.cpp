#include <nlohmann/json.hpp>

#include "app/running_bridge.hpp"
#include "auth/authenticator.hpp"
#include "postgres/administration.hpp"
#include "protocol/json.hpp"
#include "support/database.hpp"
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

const std::string operators = "a token of the operators";

config::jwt_key key()
{
    config::jwt_key made;
    made.algorithm = "HS256";
    made.secret = "a secret of thirty-two characters";
    return made;
}

config::configuration settings_for(const database& db, std::chrono::milliseconds poll_interval = 100ms)
{
    auto settings = test::open_to_all(db.url(), poll_interval);
    settings.auth.jwt = {key()};
    settings.server.admin_token = operators;
    return settings;
}

std::int64_t now()
{
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string token(const std::string& subject, std::int64_t issued, const std::string& id = "")
{
    return auth::issue(*protocol::parse_json(json{{"sub", subject}, {"iat", issued}, {"jti", id}, {"exp", now() + 3600}}.dump()), key());
}

void revoke(const database& db, const std::string& kind, const std::string& name)
{
    REQUIRE(postgres::administration({.url = db.url()}).revoke({kind, name, {}, {}}).has_value());
}

void ends_revoked(websocket_client& client)
{
    CHECK(client.await("error").at("code") == "token_revoked");
    CHECK_FALSE(client.receive());
    CHECK(client.close_code() == 4401);
}

unsigned status_for(std::uint16_t port, const std::string& token)
{
    return http_client(port).get("/v1/session", {{"Authorization", "Bearer " + token}}).status;
}

void make_table(const database& db)
{
    db.execute("create table t (id int primary key, v text); select rowcast.watch('t', notify => true)");
}

} // namespace

TEST_CASE("A revocation reaches every bridge at once, on every transport, and no younger token")
{
    const database db{with_rowcast};
    make_table(db);
    // What they do not hear they would not find for an hour.
    const running_bridge one(settings_for(db, 1h));
    const running_bridge two(settings_for(db, 1h));
    const std::string old = token("ann", now() - 10);
    auto here = connect_as(one.port(), old);
    auto there = connect_as(two.port(), old);
    auto other = connect_as(two.port(), token("bob", now() - 10));
    http_client stream(two.port());
    stream.open_stream("/v1/sse?table=public.t&access_token=" + old);
    REQUIRE(stream.next_event()->name == "cursor");

    revoke(db, "user", "ann");
    ends_revoked(here);
    ends_revoked(there);
    const auto said = stream.next_event();
    REQUIRE(said);
    CHECK(said->name == "error");
    CHECK(json::parse(said->data).at("code") == "token_revoked");
    CHECK(status_for(one.port(), old) == 401);
    CHECK(status_for(two.port(), token("ann", now() + 2)) == 200); // issued later, by a clock that is ahead
    other.send({{"type", "ping"}, {"id", 1}});
    other.await("pong");
}

TEST_CASE("A revocation survives a restart of the bridge, and one made while it was away counts")
{
    const database db{with_rowcast};
    make_table(db);
    const std::string old = token("ann", now() - 10);
    const std::string stolen = token("bob", now() - 10, "stolen");
    {
        running_bridge first(settings_for(db));
        auto client = connect_as(first.port(), old);
        revoke(db, "user", "ann");
        ends_revoked(client);
    }
    revoke(db, "token", "stolen");
    const running_bridge second(settings_for(db));
    CHECK(status_for(second.port(), old) == 401);
    CHECK(status_for(second.port(), stolen) == 401);
    CHECK(status_for(second.port(), token("bob", now() - 10, "another")) == 200);
}

TEST_CASE("A revocation whose bell nobody heard is found all the same")
{
    const database db{with_rowcast};
    make_table(db);
    const running_bridge bridge(settings_for(db));
    auto client = connect_as(bridge.port(), token("ann", now() - 10));
    // As rowcast.revoke, without its NOTIFY.
    db.execute("insert into rowcast.revocations values ('user', 'ann', now(), now() + interval '1 hour', null, pg_current_xact_id())");
    ends_revoked(client);
}

TEST_CASE("An operator ends one session of a user, by its name")
{
    const database db{with_rowcast};
    make_table(db);
    running_bridge one(settings_for(db));
    const running_bridge two(settings_for(db));
    const std::string ann = token("ann", now() - 10);
    websocket_client first(two.port(), "/v1/ws?access_token=" + ann);
    const std::string session = first.await("welcome").at("session");
    auto second = connect_as(two.port(), ann);

    http_client admin(one.admin_port());
    const auto call = [&](const json& body) {
        return admin.request("POST", "/admin/revoke", {{"Authorization", "Bearer " + operators}, {"Content-Type", "application/json"}}, body.dump());
    };
    const auto done = call({{"session", session}, {"reason", "a test"}});
    REQUIRE(done.status == 200);
    CHECK(json::parse(done.body).at("session") == session);
    ends_revoked(first);
    second.send({{"type", "ping"}, {"id", 1}});
    second.await("pong");
    CHECK(one.got.wait_for<observe::administered>().what == "revoke the session '" + session + "'");

    CHECK(call(json::object()).status == 400);
    CHECK(call({{"user", "a"}, {"token", "b"}}).status == 400);
    CHECK(call({{"user", ""}}).status == 400);
    CHECK(call({{"usr", "ann"}}).status == 400);
    CHECK(call({{"user", "ann"}, {"for", "-1h"}}).status == 400);
}

} // namespace rowcast
