#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include "running_server.hpp"
#include "support/http_client.hpp"

using namespace rowcast;
using net::running_server;
using nlohmann::json;
using support::http_client;

namespace {

const std::string token = "a token of the operators";
const http_client::headers proper{{"Authorization", "Bearer " + token}, {"Content-Type", "application/json"}};

running_server::options with_token()
{
    running_server::options how;
    how.settings.admin_token = token;
    return how;
}

http_client::headers but(std::string name, std::string value)
{
    http_client::headers changed = proper;
    changed[std::move(name)] = std::move(value);
    return changed;
}

std::string refused(const http_client::answer& what)
{
    return std::to_string(what.status) + " " + json::parse(what.body).at("code").get<std::string>();
}

} // namespace

TEST_CASE("operators have an address of their own, clients another", "[net]")
{
    running_server running(with_token());
    http_client operators(running.admin_port());
    http_client clients(running.port());
    CHECK(operators.get("/healthz").status == 200);
    CHECK(operators.get("/metrics").body == "rowcast_up 1\n");
    running.set_not_ready({"no connection to PostgreSQL"});
    CHECK(operators.get("/readyz").status == 503);
    CHECK(refused(operators.get("/v1/session")) == "404 not_found");
    CHECK(refused(operators.get("/")) == "404 not_found");

    const auto metrics = clients.get("/metrics");
    CHECK(refused(metrics) == "404 not_found");
    CHECK(metrics.body.find("server.admin") != std::string::npos);
    CHECK(refused(clients.request("POST", "/admin/echo", proper, "{}")) == "404 not_found");
}

TEST_CASE("without an operators' address there are neither metrics nor calls, and who looks for them is told why", "[net]")
{
    auto how = with_token();
    how.settings.admin.reset();
    running_server running(how);
    CHECK(running.admin_port() == 0);
    http_client clients(running.port());
    CHECK(clients.get("/healthz").status == 200);
    for (const auto& answer : {clients.get("/metrics"), clients.request("POST", "/admin/echo", proper, "{}")}) {
        CHECK(refused(answer) == "404 not_found");
        CHECK(answer.body.find("server.admin, which is off") != std::string::npos);
    }
}

TEST_CASE("a second bridge on a machine is told which ports clash, and what to do", "[net]")
{
    running_server first(with_token());
    auto how = with_token();
    how.settings.admin = config::listener{{"127.0.0.1", first.admin_port()}};
    CHECK_THROWS_WITH(running_server(how), Catch::Contains("server.admin") && Catch::Contains("another port, or `off`"));
    how.settings.listen.front().at.port = first.port();
    CHECK_THROWS_WITH(running_server(how), Catch::Contains("server.listen") && Catch::Contains("another port") && !Catch::Contains("off"));
}

TEST_CASE("a call wants the operators' token, and JSON", "[net]")
{
    running_server running(with_token());
    http_client operators(running.admin_port());
    const auto call = [&](const http_client::headers& with, const std::string& body = R"({"a":1})") {
        return operators.request("POST", "/admin/echo", with, body);
    };
    CHECK(call(proper).body == R"({"a":1})");
    CHECK(call(proper, "").body == "{}");
    CHECK(call(but("Content-Type", "application/json; charset=utf-8")).status == 200);

    CHECK(refused(call({{"Content-Type", "application/json"}})) == "401 token_missing");
    CHECK(refused(call(but("Authorization", "Bearer " + token + "x"))) == "401 token_invalid");
    CHECK(refused(call(but("Authorization", "Bearer a token of somebody else"))) == "401 token_invalid");
    CHECK(refused(call(but("Authorization", "Bearer "))) == "401 token_invalid");
    CHECK(refused(call(but("Content-Type", "text/plain"))) == "400 bad_request");
    CHECK(refused(call({{"Authorization", "Bearer " + token}})) == "400 bad_request");
    CHECK(refused(call(proper, "[]")) == "400 malformed");
    CHECK(refused(call(proper, R"({"user":"ann","user":"bob"})")) == "400 malformed");
    CHECK(refused(operators.request("POST", "/admin/echo?a=1", proper, "{}")) == "400 bad_request");
    CHECK(refused(operators.request("PUT", "/admin/echo", proper, "{}")) == "405 method_not_allowed");
    CHECK(refused(operators.request("POST", "/admin/other", proper, "{}")) == "404 not_found");
    CHECK(refused(operators.request("POST", "/metrics", proper, "{}")) == "405 method_not_allowed");
}

TEST_CASE("what there is to see wants the operators' token too, in the header, and parameters in the URL", "[net]")
{
    running_server running(with_token());
    http_client operators(running.admin_port());
    const http_client::headers bearer{{"Authorization", "Bearer " + token}};
    CHECK(operators.get("/admin/echo?search=a%20b&limit=5", bearer).body == R"({"search":"a b","limit":"5"})");
    CHECK(operators.get("/admin/echo", bearer).body == "{}");
    CHECK(refused(operators.get("/admin/echo")) == "401 token_missing");
    CHECK(refused(operators.get("/admin/echo?access_token=a%20token%20of%20the%20operators")) == "401 token_missing");
    CHECK(refused(operators.get("/admin/echo", {{"Authorization", "Bearer another"}})) == "401 token_invalid");
    CHECK(refused(operators.get("/admin/echo?a", bearer)) == "400 bad_request");
}

TEST_CASE("the operators' page is had without a token, and nothing runs in it but its own", "[net]")
{
    running_server running(with_token());
    http_client operators(running.admin_port());
    const auto page = operators.get("/admin");
    CHECK(page.body == "<p>operators");
    const std::string policy = page.fields.at("content-security-policy");
    for (const char* each : {"default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "form-action 'none'", "require-trusted-types-for 'script'"}) {
        CHECK(policy.find(each) != std::string::npos);
    }
    CHECK(policy.find("unsafe") == std::string::npos);
    CHECK(refused(operators.get("/admin/page/nothing.js")) == "404 not_found");
    CHECK(refused(operators.request("POST", "/admin", proper, "{}")) == "405 method_not_allowed");
    http_client clients(running.port());
    CHECK(refused(clients.get("/admin")) == "404 not_found");
}

TEST_CASE("the page may call where it comes from, and no other page, whatever its name leads to", "[net]")
{
    running_server running(with_token());
    http_client operators(running.admin_port());
    const std::string port = ":" + std::to_string(running.admin_port());
    const auto as = [&](const std::string& host, const std::string& origin, const std::string& site) {
        auto with = proper;
        with["Host"] = host;
        with["Origin"] = origin;
        with["Sec-Fetch-Site"] = site;
        return operators.request("POST", "/admin/echo", with, "{}");
    };
    for (const std::string& host : {"127.0.0.1" + port, "localhost" + port, "[::1]" + port, std::string("bridge"), "x.localhost" + port}) {
        INFO(host);
        CHECK(as(host, "http://" + host, "same-origin").status == 200);
        CHECK(refused(as(host, "http://" + host, "cross-site")) == "403 forbidden");
        CHECK(refused(as(host, "http://" + host, "same-site")) == "403 forbidden");
    }
    // A name that somebody owns may lead here: then the page, and all of its calls, are of the same origin.
    for (const char* const path : {"/admin", "/admin/echo"}) {
        const auto answer = operators.get(path, {{"Host", "evil.example" + port}, {"Authorization", "Bearer " + token}});
        CHECK(refused(answer) == "403 forbidden");
        CHECK(answer.body.find("evil.example") != std::string::npos);
    }
    CHECK(refused(as("evil.example" + port, "http://evil.example" + port, "same-origin")) == "403 forbidden");
    CHECK(operators.get("/metrics", {{"Host", "prometheus-knows-me.example" + port}}).status == 200);
}

TEST_CASE("the page stands under the names that are configured too, and calls come from there", "[net]")
{
    auto how = with_token();
    how.settings.admin_hosts = {"admin.example.com"};
    running_server running(how);
    http_client operators(running.admin_port());
    for (const std::string host : {"admin.example.com", "Admin.Example.com:8443"}) {
        INFO(host);
        CHECK(operators.get("/admin", {{"Host", host}}).status == 200);
        auto with = proper;
        with["Host"] = host;
        with["Origin"] = "https://" + host; // a proxy in front speaks TLS
        with["Sec-Fetch-Site"] = "same-origin";
        CHECK(operators.request("POST", "/admin/echo", with, "{}").status == 200);
        with["Origin"] = "https://evil.example";
        CHECK(refused(operators.request("POST", "/admin/echo", with, "{}")) == "403 forbidden");
    }
    for (const std::string host : {"example.com", "x.admin.example.com", "admin.example.com.evil.example"}) {
        INFO(host);
        CHECK(refused(operators.get("/admin", {{"Host", host}})) == "403 forbidden");
    }
}

TEST_CASE("no web page reaches what operators do", "[net]")
{
    running_server running(with_token());
    http_client operators(running.admin_port());
    const std::string self = "http://127.0.0.1:" + std::to_string(running.admin_port());
    for (const std::string& origin : {std::string("https://evil.example"), std::string("null"), self + "0", "http://localhost:" + std::to_string(running.admin_port())}) {
        INFO(origin);
        CHECK(refused(operators.request("POST", "/admin/echo", but("Origin", origin), "{}")) == "403 forbidden");
        const auto metrics = operators.get("/metrics", {{"Origin", origin}});
        CHECK(metrics.status == 403);
        CHECK(metrics.fields.count("access-control-allow-origin") == 0);
    }
    CHECK(operators.request("OPTIONS", "/admin/echo", {{"Access-Control-Request-Method", "POST"}}, "").status == 405);
}

TEST_CASE("without a configured token nobody calls, and the answer says what to configure", "[net]")
{
    running_server running;
    http_client operators(running.admin_port());
    for (const auto& with : {proper, but("Authorization", "Bearer "), http_client::headers{{"Content-Type", "application/json"}}}) {
        const auto answer = operators.request("POST", "/admin/echo", with, "{}");
        CHECK(refused(answer) == "403 forbidden");
        CHECK(answer.body.find("server.admin_token") != std::string::npos);
    }
    CHECK(operators.get("/metrics").status == 200);
}
