#include <nlohmann/json.hpp>

#include <future>

#include "app/running_bridge.hpp"
#include "auth/authenticator.hpp"
#include "config/load.hpp"
#include "protocol/json.hpp"
#include "sql/temporary_role.hpp"
#include "support/database.hpp"

namespace rowcast {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using support::database;
using support::http_client;
using support::with_rowcast;
using test::running_bridge;

const std::string operators = "a token of the operators";
const config::jwt_key key{.algorithm = "HS256", .secret = "correct horse battery staple, 32 bytes", .public_key = {}, .jwks = {}, .issuer = {}, .audience = {}, .at = {}};

const std::string tables =
    "create table members (room int, user_id int, primary key (room, user_id)); insert into members values (1, 7), (2, 7);"
    "create table messages (id int primary key, room int, body text); insert into messages values (10, 1, 'in'), (11, 3, 'out');"
    "create table t (id int primary key); create table closed (id int primary key);"
    "select rowcast.watch('members', notify => true), rowcast.watch('messages', notify => true), rowcast.watch('t', notify => true);";

config::configuration configured(const std::string& url, const std::string& query = "select room from members where user_id = $1")
{
    auto read = config::parse("database: {url: '" + url + "', poll_interval: 100ms}\n"
                              "server: {listen: '127.0.0.1:0', admin: '127.0.0.1:0', admin_token: '" + operators + "'}\n"
                              "auth: {jwt: [{algorithm: HS256, secret: '" + key.secret + "'}]}\n"
                              "tables:\n"
                              "  public.t: [{}]\n"
                              "  public.messages: [{roles: [user], where: {room: {in: $sets.rooms}}, columns: [id, room]}]\n"
                              "channels: {'*': [{roles: [user], where: {channel: {in: $sets.rooms}}}]}\n"
                              "sets: {rooms: {query: '" + query + "', params: [$claims.sub], watch: [public.members]}}\n",
                              [](std::string_view) { return std::nullopt; });
    return std::get<config::configuration>(std::move(read));
}

std::string token(const std::string& user)
{
    return auth::issue({core::object{{"sub", {user}}, {"roles", {core::list{{"user"}}}}}}, key);
}

http_client::answer ask(const running_bridge& bridge, const json& body)
{
    return http_client(bridge.admin_port())
        .request("POST", "/admin/explain", {{"Authorization", "Bearer " + operators}, {"Content-Type", "application/json"}}, body.dump());
}

json explained(const running_bridge& bridge, const json& body)
{
    const auto answer = ask(bridge, body);
    INFO(answer.body);
    REQUIRE(answer.status == 200);
    return json::parse(answer.body);
}

// "400 bad_request: ..."
std::string refused(const running_bridge& bridge, const json& body)
{
    const auto answer = ask(bridge, body);
    const json what = json::parse(answer.body);
    return std::to_string(answer.status) + " " + what.value("code", "") + ": " + what.value("detail", "");
}

const json user = {{"sub", 7}, {"roles", {"user"}}};

json with(json body, const json& more)
{
    body.update(more);
    return body;
}

json condition(const json& explanation)
{
    return explanation.at("after").at("rules").at(0).at("where");
}

} // namespace

TEST_CASE("an operator is told why a user gets a row: one by its key, written down, changed or logged, and a channel", "[e2e]")
{
    const database db{with_rowcast};
    db.execute(tables);
    running_bridge bridge(configured(db.url()));
    const json of_messages = {{"claims", user}, {"table", "public.messages"}};

    const json seen = explained(bridge, with(of_messages, {{"key", {{"id", 10}}}}));
    CHECK(seen.at("verdict") == "sent");
    CHECK(seen.at("event").at("row") == json{{"id", 10}, {"room", 1}});
    CHECK(seen.at("event").at("durable") == false); // it is in no log
    CHECK_FALSE(seen.at("event").contains("id"));
    CHECK(condition(seen).at("value") == 1);
    CHECK(condition(seen).at("compared") == json{"1", "2"});
    const json hidden = explained(bridge, with(of_messages, {{"key", {{"id", "11"}}}}));
    CHECK(hidden.at("verdict") == "nothing");
    CHECK(condition(hidden).at("holds") == "no");

    CHECK(explained(bridge, with(of_messages, {{"row", {{"id", 1}, {"room", 2}}}})).at("verdict") == "sent");
    const json left = explained(bridge, with(of_messages, {{"change", {{"old", {{"id", 1}, {"room", 2}}}, {"new", {{"id", 1}, {"room", 3}}}}}}));
    CHECK(left.at("event").at("op") == "DELETE");
    db.execute("update messages set room = 2 where id = 11");
    const std::string id = db.execute("select max(id) from rowcast.change_log")[0][0].c_str();
    CHECK(explained(bridge, {{"claims", user}, {"change", id}}).at("event").at("id") == id);
    CHECK(explained(bridge, {{"token", token("7")}, {"change", std::stol(id)}}).at("event").at("op") == "INSERT");
    CHECK(explained(bridge, {{"claims", user}, {"channel", "2"}}).at("verdict") == "sent");
    CHECK(explained(bridge, {{"claims", user}, {"channel", "3"}}).at("verdict") == "refused");
    CHECK(explained(bridge, {{"table", "t"}, {"row", {{"id", 1}}}}).at("verdict") == "sent"); // nobody
    CHECK(explained(bridge, with(of_messages, {{"key", {{"id", 10}}}, {"columns", {"body"}}})).at("verdict") == "refused");
    CHECK(explained(bridge, with(of_messages, {{"key", {{"id", 10}}}, {"where", {{"room", 9}}}})).at("reason") ==
          "the client's own filter does not hold");
    CHECK(bridge.got.wait_for<observe::administered>([](const auto& it) { return it.what == "explain what the user '7' gets"; }).outcome == "sent");
}

TEST_CASE("what a set holds is read for the user who is asked about, unless the operator says it", "[e2e]")
{
    const database db{with_rowcast};
    db.execute(tables);
    const json third = {{"table", "public.messages"}, {"row", {{"id", 1}, {"room", 3}}}};
    {
        const running_bridge bridge(configured(db.url()));
        CHECK(explained(bridge, with(third, {{"claims", user}})).at("verdict") == "nothing");
        db.execute("insert into members values (3, 7)");
        CHECK(condition(explained(bridge, with(third, {{"claims", user}}))).at("compared") == json{"1", "2", "3"});
        CHECK(condition(explained(bridge, with(third, {{"claims", user}, {"sets", {{"rooms", {9}}}}}))).at("compared") == json{"9"});
        CHECK_THAT(condition(explained(bridge, with(third, {{"claims", {{"roles", {"user"}}}}}))).at("remark").get<std::string>(),
                   Catch::EndsWith("the user has no claim 'sub', which its query takes"));
        // As in delivery: no value of the parameter's type gives nothing, and other rules count all the same.
        const json misfit = explained(bridge, with(third, {{"claims", {{"sub", "x"}, {"roles", {"user"}}}}}));
        CHECK(misfit.at("verdict") == "nothing");
        CHECK_THAT(condition(misfit).at("remark").get<std::string>(), Catch::Contains("\"x\""));
    }
    {
        const running_bridge bridge(configured(db.url(), "select generate_series(1, 10001) from members where user_id = $1"));
        const json full = explained(bridge, with(third, {{"claims", user}}));
        CHECK(full.at("verdict") == "refused");
        CHECK_THAT(full.at("reason").get<std::string>(), Catch::Contains("more than 10000 values"));
    }
    const running_bridge bridge(configured(db.url(), "select roomm from members where user_id = $1"));
    const json wrong = explained(bridge, with(third, {{"claims", user}}));
    CHECK(wrong.at("verdict") == "nothing");
    CHECK_THAT(condition(wrong).at("remark").get<std::string>(), Catch::Contains("roomm"));
}

TEST_CASE("a question that cannot be answered is refused, and what to ask is said", "[e2e]")
{
    const database db{with_rowcast};
    db.execute(tables);
    db.execute("update messages set body = 'x'");
    const running_bridge bridge(configured(db.url()));
    const json row = {{"table", "t"}, {"row", {{"id", 1}}}};
    using Catch::StartsWith;
    CHECK_THAT(refused(bridge, json::object()), StartsWith("400 bad_request: what about?"));
    CHECK_THAT(refused(bridge, with(row, {{"key", {{"id", 1}}}})), StartsWith("400 bad_request: what about?"));
    CHECK_THAT(refused(bridge, with(row, {{"claim", user}})), StartsWith("400 unknown_member: ") && Catch::EndsWith("did you mean 'claims'?"));
    CHECK_THAT(refused(bridge, {{"row", {{"id", 1}}}}), StartsWith("400 bad_request: of which table?"));
    CHECK_THAT(refused(bridge, {{"table", "t"}, {"change", 1}}), StartsWith("400 bad_request: 'table' is for"));
    CHECK_THAT(refused(bridge, {{"change", -1}}), StartsWith("400 bad_request: 'change' takes"));
    CHECK_THAT(refused(bridge, {{"table", "t"}, {"change", json::object()}}), StartsWith("400 bad_request: 'change' has"));
    CHECK_THAT(refused(bridge, {{"table", "t"}, {"change", {{"after", user}}}}), StartsWith("400 unknown_member: "));
    CHECK_THAT(refused(bridge, {{"table", "t"}, {"row", 1}}), StartsWith("400 bad_request: 'row' takes an object"));
    CHECK_THAT(refused(bridge, {{"table", "t"}, {"row", {{"idd", 1}}}}), StartsWith("400 unknown_column: "));
    CHECK_THAT(refused(bridge, {{"table", "t"}, {"key", {{"id", "x"}}}}), StartsWith("400 bad_request: "));
    CHECK_THAT(refused(bridge, {{"table", "t"}, {"key", {{"id", 1}}}}), StartsWith("404 not_found: "));
    CHECK_THAT(refused(bridge, {{"change", 99'999'999}}), StartsWith("404 not_found: "));
    CHECK_THAT(refused(bridge, {{"table", "public.mesages"}, {"row", {{"id", 1}}}}),
               StartsWith("404 unknown_table: ") && Catch::EndsWith("did you mean 'public.messages'?"));
    CHECK_THAT(refused(bridge, with(row, {{"where", {{"id", {{"eqq", 1}}}}}})), StartsWith("400 bad_filter: 'where': "));
    CHECK_THAT(refused(bridge, with(row, {{"columns", "id"}})), StartsWith("400 bad_request: 'columns' takes"));
    CHECK_THAT(refused(bridge, with(row, {{"sets", {{"rooms", 1}}}})), StartsWith("400 bad_request: the set 'rooms'"));
    CHECK_THAT(refused(bridge, with(row, {{"claims", user}, {"token", "x"}})), StartsWith("400 bad_request: 'token' has"));
    // It is not the operator's token that is refused.
    CHECK_THAT(refused(bridge, with(row, {{"token", token("7") + "x"}})), StartsWith("400 bad_request: this user is not let in (token_invalid)"));
    CHECK_THAT(refused(bridge, with(row, {{"row", {{"id", std::string(70'000, 'x')}}}})), StartsWith("413 "));
    const auto nobody = http_client(bridge.admin_port()).request("POST", "/admin/explain", {{"Content-Type", "application/json"}}, row.dump());
    CHECK(nobody.status == 401);
}

TEST_CASE("where PostgreSQL refuses the bridge it is not the question that is wrong", "[e2e]")
{
    const database db{with_rowcast};
    db.execute(tables);
    const test::temporary_role reader{db, "rows", "login"};
    auto settings = configured(db.url());
    settings.database.rows.url = db.url() + "&user=" + reader.name;
    const running_bridge bridge(settings);
    const std::string answer = refused(bridge, {{"table", "messages"}, {"key", {{"id", 10}}}});
    CHECK_THAT(answer, Catch::StartsWith("500 internal: ") && Catch::Contains("permission denied for table messages"));
}

TEST_CASE("a slow explanation holds up neither clients nor other calls, and ends", "[e2e]")
{
    const database db{with_rowcast};
    db.execute(tables);
    const running_bridge bridge(configured(db.url()));
    auto holder = db.connect();
    pqxx::work holding(holder);
    holding.exec("lock table messages in access exclusive mode");
    auto slow = std::async(std::launch::async, [&] { return refused(bridge, {{"table", "public.messages"}, {"key", {{"id", 1}}}}); });
    const auto waits = [&] {
        return !db.execute("select from pg_stat_activity where application_name = 'rowcast explain' and wait_event_type = 'Lock' "
                           "and datname = current_database()").empty();
    };
    REQUIRE(support::eventually(waits));
    const auto revoked = http_client(bridge.admin_port())
                             .request("POST", "/admin/revoke", {{"Authorization", "Bearer " + operators}, {"Content-Type", "application/json"}}, R"({"user":"8"})");
    CHECK(revoked.status == 200);
    CHECK(http_client(bridge.port()).get("/v1/session").status == 200);
    CHECK(waits());
    CHECK_THAT(slow.get(), Catch::StartsWith("503 unavailable: "));
}

} // namespace rowcast
