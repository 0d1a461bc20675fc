#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "auth/authenticator.hpp"
#include "core/value.hpp"
#include "support/bridge_process.hpp"
#include "support/database.hpp"
#include "support/http_client.hpp"
#include "support/websocket_client.hpp"

namespace rowcast {
namespace {

using nlohmann::json;
using support::http_client;
using support::websocket_client;

// Nothing of what has one of these may be written, in whole or in part.
const std::string in_a_row = "private-4711-of-a-row";
const std::string in_a_token = "private-4712-of-a-token";
const std::string secret = "private-4713-that-signs-all-tokens";
const std::string operators = "private-4714-of-operators";
const std::string password = "private-4715-of-the-database";
constexpr char mark[] = "private-47";

std::string token(const std::string& user, const std::string& by = secret)
{
    config::jwt_key key;
    key.algorithm = "HS256";
    key.secret = by;
    return auth::issue({core::object{{"sub", {user}}, {"note", {in_a_token}}}}, key);
}

std::string rules(const std::string& format)
{
    return "tables:\n  public.t: [{}]\n  public.cast_from_rows: [{where: {v: {in: $sets.numbers}}}]\n"
           "sets: {numbers: {query: 'select v::int from t where v <> $1', params: [$claims.sub], watch: [public.t]}}\n"
           "log: {level: trace, format: " + format + "}\n";
}

http_client::answer administer(const support::bridge_process& bridge, const std::string& what, const json& body, const std::string& bearer = operators)
{
    return http_client(bridge.admin_port())
        .request("POST", "/admin/" + what, {{"Authorization", "Bearer " + bearer}, {"Content-Type", "application/json"}}, body.dump());
}

void change_rows(const support::database& db)
{
    db.execute("insert into t values (2, '" + in_a_row + "'); update t set v = v || '!' where id = 2; delete from t where id = 2");
    db.execute("insert into rowcast.change_log (call, table_name, op, new) values (1, 'public.t', 'INSERT', '[\"" + in_a_row + "\"]')");
    db.execute("insert into rowcast.change_log (call, table_name, op, new) values (1, 'public.t', '" + in_a_row.substr(0, 12) + "', '{}')");
}

void converse(const support::bridge_process& bridge, const support::database& db)
{
    websocket_client ann(bridge.port());
    ann.send({{"type", "auth"}, {"token", token("ann")}});
    ann.await("authenticated");
    ann.send({{"type", "subscribe"}, {"id", "t"}, {"table", "public.t"}, {"snapshot", true}, {"where", {{"v", {{"neq", in_a_row + "?"}}}}}});
    CHECK(ann.await("rows").at("rows").at(0).at("v") == in_a_row);
    ann.send({{"type", "subscribe"}, {"id", "n"}, {"table", "public.cast_from_rows"}});
    ann.await("subscribed"); // although its set stumbles over a row

    http_client stream(bridge.port());
    stream.open_stream("/v1/sse?table=public.t&access_token=" + token("ann"));
    CHECK(stream.next_event()->name == "cursor");
    change_rows(db);
    ann.await("resync");
    CHECK(stream.next_event()->data.find(in_a_row) != std::string::npos);
    CHECK(http_client(bridge.port()).get("/v1/rows?table=public.t", {{"Authorization", "Bearer " + token("ann")}}).body.find(in_a_row) != std::string::npos);

    ann.send({{"type", "auth"}, {"token", token("ann", secret + ", another")}});
    CHECK(ann.await("error").at("code") == "token_invalid");
    CHECK(http_client(bridge.port()).get("/v1/changes?table=public.t&access_token=" + token("bob") + "x").status == 401);
    websocket_client confused(bridge.port());
    confused.send_text(R"({"type": "auth", "token": ")" + token("eve") + R"(", )");
    CHECK(confused.await("error").at("code") == "malformed");

    CHECK(administer(bridge, "reload", {}, operators + "x").status == 401);
    CHECK(administer(bridge, "explain", {{"table", "public.t"}, {"row", {{"id", 3}, {"v", in_a_row}}}, {"token", token("ann")}}).status == 200);
    CHECK(administer(bridge, "explain", {{"table", "public.t"}, {"row", {{"id", 3}, {"v", in_a_row}}}, {"token", token("ann") + "x"}}).status == 400);
    CHECK(administer(bridge, "revoke", {{"session", "nobody's"}, {"reason", in_a_token}}).status == 200);
}

std::vector<std::string> lines_with(const std::string& text, std::string_view what)
{
    std::vector<std::string> found;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        if (const std::string line = text.substr(at, end - at); line.find(what) != std::string::npos) {
            found.push_back(line);
        }
        at = end + 1;
    }
    return found;
}

} // namespace

// At `trace`, which has all that other levels have.
TEST_CASE("The log of a conversation says whose it was, and holds no row, token, secret or password", "[e2e]")
{
    const std::string format = GENERATE("text", "json");
    const support::database db{support::with_rowcast};
    db.execute("create table t (id int primary key, v text); select rowcast.watch('t', notify => true);"
               "create table cast_from_rows (id int primary key, v int); select rowcast.watch('cast_from_rows', notify => true);"
               "insert into t values (1, '" + in_a_row + "')");
    const std::string url = db.url() + (db.url().find('?') == std::string::npos ? "?" : "&") + "password=" + password;
    support::bridge_process bridge{url, rules(format),
                                   {.auth = "jwt: [{algorithm: HS256, secret: '" + secret + "'}]", .server = "  admin_token: " + operators + "\n"}};
    bridge.start();
    converse(bridge, db);
    db.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'rowcast%' and datname = current_database()");
    CHECK(support::eventually([&] { return bridge.metric("rowcast_database_losses_total") > 0; }));
    bridge.stop();
    const std::string log = bridge.running().error_rest();
    INFO(log);

    CHECK(lines_with(log, mark).empty());
    CHECK(lines_with(log, "the set 'numbers' gives nothing where its query meets a value that PostgreSQL cannot take: SQLSTATE 22P02, invalid_text_representation").size() == 1);
    if (format == "text") {
        CHECK_FALSE(lines_with(log, "opened over sse by ann from").empty());
        CHECK_FALSE(lines_with(log, "of ann over websocket closed: 4401 token_invalid").empty());
        CHECK_FALSE(lines_with(log, "by ann from 127.0.0.1: token_invalid").empty());
    } else {
        for (const std::string event : {"session_opened", "session_closed", "request_refused", "administered", "bad_change", "database_lost", "stopped"}) {
            INFO(event);
            const auto told = lines_with(log, "\"event\":\"" + event + "\"");
            CHECK_FALSE(told.empty());
            CHECK(std::all_of(told.begin(), told.end(), [](const std::string& line) { return json::accept(line); }));
        }
        CHECK_FALSE(lines_with(log, R"("subject":"ann")").empty());
    }
}

} // namespace rowcast
