#include "config/given.hpp"
#include "config/restart.hpp"
#include "support/manual.hpp"

#include <catch2/catch.hpp>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace rowcast;
using namespace rowcast::tests;
using namespace std::chrono_literals;

namespace {

const std::string secret = "0123456789abcdef0123456789abcdef";

} // namespace

TEST_CASE("the reference configuration is the default one")
{
    const std::string reference = support::text_of("config/bridge.yaml");
    const config::configuration read = valid(reference);
    const config::configuration plain = valid("");
    CHECK(read.database.url.empty());
    CHECK(read.database.poll_interval == plain.database.poll_interval);
    CHECK(read.database.keep.age == plain.database.keep.age);
    CHECK(read.database.keep.size == plain.database.keep.size);
    CHECK(read.database.notify_channels == plain.database.notify_channels);
    CHECK(read.server.listen == plain.server.listen);
    CHECK(read.server.admin == plain.server.admin);
    CHECK(read.server.proxies == plain.server.proxies);
    CHECK(read.server.admin_token == plain.server.admin_token);
    CHECK(read.server.admin_hosts == plain.server.admin_hosts);
    CHECK(read.server.certificate.has_value() == plain.server.certificate.has_value());
    CHECK(read.server.origins == plain.server.origins);
    CHECK(read.server.heartbeat == plain.server.heartbeat);
    CHECK(read.server.limits.sessions == plain.server.limits.sessions);
    CHECK(read.server.limits.sessions_per_user == plain.server.limits.sessions_per_user);
    CHECK(read.server.limits.sessions_per_address == plain.server.limits.sessions_per_address);
    CHECK(read.server.limits.subscriptions_per_session == plain.server.limits.subscriptions_per_session);
    CHECK(read.server.limits.message_size == plain.server.limits.message_size);
    CHECK(read.server.limits.messages_per_second == plain.server.limits.messages_per_second);
    CHECK(read.server.limits.connects_per_second_per_address == plain.server.limits.connects_per_second_per_address);
    CHECK(read.server.limits.send_buffer == plain.server.limits.send_buffer);
    CHECK(read.auth.jwt.size() == plain.auth.jwt.size());
    CHECK(read.auth.roles_claim == plain.auth.roles_claim);
    CHECK(read.auth.anonymous == plain.auth.anonymous);
    CHECK(read.rollout.websocket == plain.rollout.websocket);
    CHECK(read.rollout.sse == plain.rollout.sse);
    CHECK(read.log.level == plain.log.level);
    CHECK(read.log.format == plain.log.format);
    CHECK(read.rules.tables.empty());
    CHECK(read.rules.channels.empty());
}

TEST_CASE("the reference configuration names every key")
{
    const std::string reference = support::text_of("config/bridge.yaml");
    for (const auto* key : {"url",
                            "poll_interval",
                            "age",
                            "size",
                            "notify_channels",
                            "listen",
                            "admin",
                            "trusted_proxies",
                            "proxy_protocol",
                            "tls",
                            "admin_hosts",
                            "origins",
                            "heartbeat",
                            "sessions",
                            "sessions_per_user",
                            "sessions_per_address",
                            "subscriptions_per_session",
                            "message_size",
                            "messages_per_second",
                            "connects_per_second_per_address",
                            "send_buffer",
                            "jwt",
                            "roles_claim",
                            "anonymous",
                            "websocket",
                            "sse",
                            "level",
                            "format"}) {
        CAPTURE(key);
        CHECK(contains(reference, "  " + std::string(key) + ":"));
    }
}

TEST_CASE("the examples of the manual are valid")
{
    const auto blocks = support::yaml_examples("docs/configuration.md");
    REQUIRE(blocks.size() >= 3);
    for (const std::string& block : blocks) {
        CAPTURE(block);
        CHECK(problems(block, {{"JWT_SECRET", secret}}) == "");
    }
}

TEST_CASE("the operators' address can be off, the clients' cannot")
{
    CHECK_FALSE(valid("server: {admin: off}").server.admin);
    CHECK(problems("server: {listen: off}") == "test.yaml:1:18: error: server.listen takes an address and a port, like 127.0.0.1:8080 or [::]:8080, or "
                                               "unix:/run/rowcast/bridge.sock, not 'off'");
    CHECK(contains(problems("server: {admin: none}"), "server.admin takes an address and a port"));
    CHECK(valid("server: {listen: '127.0.0.1:1'}").server.admin == config::server().admin);
    CHECK(config::needs_restart(valid(""), valid("server: {admin: off}")) == std::vector<std::string>{"server.admin"});
}

TEST_CASE("clients come in at one place or several, each with what goes with it")
{
    using all = std::vector<config::listener>;
    CHECK(valid("server: {listen: '127.0.0.1:1'}").server.listen == all{{{"127.0.0.1", 1}}});
    CHECK(valid("server: {listen: unix:/run/rowcast.sock}").server.listen == all{{{"/run/rowcast.sock"}}});
    const auto read = valid(R"(
server:
  tls: {certificate: a.pem, key: b.pem}
  trusted_proxies: [unix]
  listen:
    - "[::]:443"
    - {address: "unix:/run/rowcast/bridge.sock", mode: 0666, tls: false, proxy_protocol: true}
  admin: {address: "unix:/run/rowcast/admin.sock", mode: 600}
)");
    CHECK(read.server.listen == all{{{"::", 443}}, {{"/run/rowcast/bridge.sock"}, 0666, false, true}});
    CHECK(read.server.admin == config::listener{{"/run/rowcast/admin.sock"}, 0600});
    CHECK(valid("server: {listen: ['127.0.0.1:0', '127.0.0.1:0']}").server.listen.size() == 2);
    CHECK(config::needs_restart(valid(""), read) == std::vector<std::string>{"server.listen", "server.admin"});

    for (const char* const bad : {"unix:", "unix:run/rowcast.sock", "unix:/run/", "unix:@abstract", "/run/rowcast.sock"}) {
        CHECK(contains(problems(std::string("server: {listen: '") + bad + "'}"), "or unix:/run/rowcast/bridge.sock, not '" + std::string(bad)));
    }
    CHECK(contains(problems("server: {listen: unix:/" + std::string(100, 'x') + "}"), "server.listen takes an address"));
    CHECK(contains(problems("server: {listen: []}"), "takes 1 to 32 addresses"));
    CHECK(contains(problems("server: {listen: ['127.0.0.1:1', '127.0.0.1:1']}"), "server.listen has 127.0.0.1:1 twice"));
    CHECK(contains(problems("server: {listen: [{mode: 660}]}"), "server.listen[0].address takes an address and a port"));
    CHECK(contains(problems("server: {listen: {address: '127.0.0.1:1', mode: 660}}"), "server.listen.mode goes with a Unix socket only"));
    CHECK(contains(problems("server: {listen: {address: unix:/x, mode: 688}}"), "server.listen.mode takes who may connect"));
    CHECK(contains(problems("server: {listen: {address: unix:/x, mode: 1777}}"), "server.listen.mode takes who may connect"));
    CHECK(contains(problems("server: {listen: {address: '127.0.0.1:1', tls: true}}"), "server.listen.tls needs server.tls"));
    CHECK(contains(problems("server: {admin: {address: '127.0.0.1:1', tls: false}}"), "server.admin.tls"));
    CHECK(contains(problems("server: {admin: ['127.0.0.1:1']}"), "server.admin takes an address and a port"));
}

TEST_CASE("proxies are trusted by their addresses, and nobody is by accident")
{
    CHECK(valid("").server.proxies == config::trusted_proxies{});
    CHECK(contains(problems("server: {trusted_proxies: [proxy.example]}"), "takes addresses, networks like 10.0.0.0/8, and the word unix, not 'proxy.example'"));
    CHECK(contains(problems("server: {trusted_proxies: [0.0.0.0/0]}"), "then anybody could say to be anybody"));
    CHECK(contains(problems("server: {trusted_proxies: ['::/0']}"), "then anybody could say to be anybody"));
    CHECK(contains(problems("server: {trusted_proxies: [10.1.0.0/8]}"), "one address of 10.0.0.0/8"));
    CHECK(contains(problems("server: {proxy_protocol: true}"), "lets nobody in as long as trusted_proxies names no proxy"));
    CHECK(contains(problems("server: {listen: {address: '127.0.0.1:1', proxy_protocol: true}}"), "lets nobody in"));
}

TEST_CASE("every key is read")
{
    const auto read = valid(R"(
database:
  url: ${URL}
  poll_interval: 250ms
  retention: {age: 7d, size: 10GB}
  notify_channels: [legacy, "odd channel"]
server:
  listen: 0.0.0.0:${PORT}
  admin: "[::1]:9091"
  tls: {certificate: a.pem, key: b.pem, hsts: 365d}
  trusted_proxies: [10.0.0.0/8, "::1", unix]
  proxy_protocol: true
  origins: ["https://app.example.com", "http://localhost:3000"]
  heartbeat: 10s
  limits: {sessions: 7, sessions_per_user: 6, sessions_per_address: 8, subscriptions_per_session: 5, message_size: 2KB, messages_per_second: 4,
           connects_per_second_per_address: 3, send_buffer: 64KB}
auth:
  jwt: [{algorithm: HS256, secret: "${SECRET}", issuer: i, audience: a}]
  roles_claim: realm.roles
  grace: 2m
  longest_token: 7d
  anonymous: false
rollout: {websocket: 50, sse: 0}
log: {level: debug, format: json}
)",
                            {{"URL", "postgresql:///x"}, {"PORT", "9090"}, {"SECRET", secret}});
    CHECK(read.database.url == "postgresql:///x");
    CHECK(read.database.poll_interval == 250ms);
    CHECK(read.database.keep.age == 168h);
    CHECK(read.database.keep.size == 10ULL << 30);
    CHECK(read.database.notify_channels == std::vector<std::string>{"legacy", "odd channel"});
    CHECK(read.server.listen == std::vector<config::listener>{{{"0.0.0.0", 9090}, 0660, true, true}});
    CHECK(read.server.admin == config::listener{{"::1", 9091}});
    CHECK(read.server.proxies == config::trusted_proxies{{*core::network::parse("10.0.0.0/8"), *core::network::parse("::1")}, true});
    REQUIRE(read.server.certificate);
    CHECK(read.server.certificate->certificate == "a.pem");
    CHECK(read.server.certificate->key == "b.pem");
    CHECK(read.server.certificate->hsts == 24h * 365);
    CHECK(read.server.origins.size() == 2);
    CHECK(read.server.heartbeat == 10s);
    CHECK(read.auth.grace == 2min);
    CHECK(read.auth.longest_token == 168h);
    CHECK(read.server.limits.sessions == 7);
    CHECK(read.server.limits.sessions_per_user == 6);
    CHECK(read.server.limits.sessions_per_address == 8);
    CHECK(read.server.limits.subscriptions_per_session == 5);
    CHECK(read.server.limits.message_size == 2048);
    CHECK(read.server.limits.messages_per_second == 4);
    CHECK(read.server.limits.connects_per_second_per_address == 3);
    CHECK(read.server.limits.send_buffer == 65536);
    REQUIRE(read.auth.jwt.size() == 1);
    CHECK(read.auth.jwt[0].secret == secret);
    CHECK(read.auth.jwt[0].issuer == "i");
    CHECK(read.auth.jwt[0].audience == "a");
    CHECK(read.auth.roles_claim == "realm.roles");
    CHECK_FALSE(read.auth.anonymous);
    CHECK(read.rollout.websocket == 50);
    CHECK(read.rollout.sse == 0);
    CHECK(read.log.level == "debug");
    CHECK(read.log.format == "json");
}

TEST_CASE("the database may come from the environment")
{
    CHECK(valid("", {{"DATABASE_URL", "postgresql:///y"}}).database.url == "postgresql:///y");
    CHECK(valid("database: {url: postgresql:///x}", {{"DATABASE_URL", "postgresql:///y"}}).database.url ==
          "postgresql:///x");
}

TEST_CASE("unknown keys are named with their place and the nearest one")
{
    CHECK(problems("tabels: {}") == "test.yaml:1:9: error: unknown key 'tabels'; did you mean 'tables'?");
    CHECK(problems("server:\n  limits:\n    sesions: 5") ==
          "test.yaml:3:14: error: unknown key 'server.limits.sesions'; did you mean 'sessions'?");
    CHECK(problems("database: {foo: 1}") == "test.yaml:1:17: error: unknown key 'database.foo'");
    CHECK(contains(problems(std::string(79, 'x') + "\u00fcber: 1"), std::string(79, 'x') + "...'")); // no half of a character
    CHECK(contains(problems("auth: {jwt: [{algoritm: HS256}]}"), "did you mean 'algorithm'"));
    CHECK(contains(problems("tables: {public.t: [{wher: {}}]}"),
                   "unknown key 'tables.public.t[0].wher'; did you mean 'where'?"));
    CHECK(contains(problems("channels: {a: [{columns: [x]}]}"), "unknown key 'channels.a[0].columns'"));
}

TEST_CASE("all problems are told, in the order of the file")
{
    const std::string found = problems("database: {poll_interval: 5}\nserver: {heartbeat: soon}\nlogg: {}\n");
    CHECK(found ==
          "test.yaml:1:27: error: database.poll_interval takes a number with its unit (500ms, 5s, 10m, 24h, 7d), not '5'\n"
          "test.yaml:2:21: error: server.heartbeat takes a number with its unit (500ms, 5s, 10m, 24h, 7d), not 'soon'\n"
          "test.yaml:3:7: error: unknown key 'logg'; did you mean 'log'?");
}

TEST_CASE("wrong values are refused with what is wanted")
{
    CHECK(contains(problems("[]"), "the file takes keys and values"));
    CHECK(contains(problems("database: x"), "database takes keys and values, not 'x'"));
    CHECK(contains(problems("database: {poll_interval: 1ms}"), "must be between 10ms and 1h, and is '1ms'"));
    CHECK(
        contains(problems("database: {retention: {size: 5}}"), "takes a number with its unit (512B, 64KB, 1MB, 2GB)"));
    CHECK(contains(problems("database: {retention: {size: 5KB}}"), "must be between 1MB and"));
    CHECK(contains(problems("database: {notify_channels: x}"), "takes a list of texts"));
    CHECK(contains(problems("database: {notify_channels: [a, a]}"), "twice"));
    CHECK(
        contains(problems("database: {notify_channels: [\"" + std::string(64, 'x') + "\"]}"), "longer than 63 bytes"));
    CHECK(contains(problems("server: {listen: 8080}"), "takes an address and a port"));
    CHECK(contains(problems("server: {listen: localhost:8080}"), "takes an address and a port"));
    CHECK(contains(problems("server: {tls: {certificate: x}}"), "server.tls.key is missing"));
    CHECK(contains(problems("server: {origins: [\"https://a.example/\"]}"), "origins as browsers send them"));
    CHECK(contains(problems("server: {origins: [\"*\"]}"), "origins as browsers send them"));
    CHECK(contains(problems("server: {limits: {sessions: 0}}"), "whole number from 1 to"));
    CHECK(contains(problems("server: {limits: {sessions: -5}}"), "whole number from 1 to"));
    CHECK(contains(problems("server: {limits: {sessions: 1.5}}"), "whole number from 1 to"));
    CHECK(contains(problems("server: {limits: {message_size: 64GB}}"), "must be between 1KB and 16MB"));
    CHECK(contains(problems("rollout: {sse: 101}"), "whole number from 0 to 100"));
    CHECK(contains(problems("log: {level: warm}"), "takes trace, debug, info, warn, error or off, not 'warm'; did you mean 'warn'?"));
    CHECK(contains(problems("auth: {anonymous: yes}"), "takes true or false, not 'yes'"));
    CHECK(contains(problems("auth: {anonymous: false}"), "nobody could ever connect"));
    CHECK(contains(problems("auth: {jwt: {}}"), "takes a list"));
    CHECK(contains(problems("auth: {jwt: [~]}"), "auth.jwt[0] is empty"));
    CHECK(contains(problems("auth: {roles_claim: \"a\\0b\"}"), "null character"));
}

TEST_CASE("missing and weak secrets are refused, and never repeated in the message")
{
    const auto with_secret = [](const std::string& given) {
        return problems("auth: {jwt: [{algorithm: HS256, secret: \"" + given + "\"}]}");
    };
    CHECK(with_secret(secret) == "");
    CHECK(contains(with_secret(""), "anyone could sign tokens"));
    CHECK(contains(with_secret("hunter2-hunter2"), "has 15 bytes, and HS256 needs at least 32"));
    CHECK_FALSE(contains(with_secret("hunter2-hunter2"), "hunter2"));
    CHECK(contains(with_secret(std::string(40, 'a')), "repeats the same few"));
    CHECK(contains(problems("auth: {jwt: [{algorithm: HS256}]}"), "secret is missing"));
    CHECK(contains(problems("auth: {jwt: [{algorithm: HS256, secret: \"${JWT_SECRET}\"}]}"), "JWT_SECRET is not set"));
    CHECK(contains(problems("auth: {jwt: [{secret: \"" + secret + "\"}]}"), "algorithm is missing"));
    CHECK(contains(problems("auth: {jwt: [{algorithm: none, secret: \"" + secret + "\"}]}"),
                   "takes HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA, not 'none'"));
    CHECK(contains(problems("auth: {jwt: [{algorithm: HS512, secret: \"" + secret + "\"}]}"), "HS512 needs at least 64"));
    CHECK(contains(problems("auth: {jwt: [{algorithm: RS265, public_key: a.pem}]}"), "did you mean 'RS256'"));
}

TEST_CASE("what a reload cannot change is named")
{
    const auto running = valid("server: {listen: '127.0.0.1:1'}");
    CHECK(config::needs_restart(running, running).empty());
    CHECK(config::needs_restart(running, valid("{server: {listen: '127.0.0.1:2', heartbeat: 5s}, database: {url: x, poll_interval: 1s, rows: {queue: 1}}, log: {level: warn}}")) ==
          std::vector<std::string>{"database.url", "database.rows", "database.poll_interval", "server.listen"});
}

TEST_CASE("the operators' token is not a short one")
{
    CHECK(contains(problems("server: {admin_token: secret}"), "needs at least 16 bytes"));
    CHECK_FALSE(contains(problems("server: {admin_token: hunter2hunter}"), "hunter2"));
    CHECK(valid("server: {admin_token: \"${TOKEN}\"}", {{"TOKEN", "0123456789abcdef"}}).server.admin_token == "0123456789abcdef");
}

TEST_CASE("the names of the operators' page are hosts, as they are compared")
{
    CHECK(valid("server: {admin_hosts: [admin.example.com, ops-1.example.com]}").server.admin_hosts == std::vector<std::string>{"admin.example.com", "ops-1.example.com"});
    for (const std::string bad : {"https://admin.example.com", "admin.example.com:8081", "Admin.example.com", "admin.example.com.", "admin..example.com", "*.example.com"}) {
        INFO(bad);
        CHECK(contains(problems("server: {admin_hosts: ['" + bad + "']}"), "takes names in small letters and without a port"));
    }
}

TEST_CASE("a key is a secret, a file with a public key, or a key set, and never two of them")
{
    const auto with_key = [](const std::string& given) { return problems("auth: {jwt: [{" + given + "}]}"); };
    CHECK(with_key("algorithm: RS256, public_key: id.pem, issuer: i") == "");
    CHECK(with_key("jwks: keys.json") == "");
    CHECK(with_key("jwks: 'https://id.example/.well-known/jwks.json', audience: a") == "");
    CHECK(with_key("jwks: 'http://127.0.0.1:9000/keys'") == "");
    CHECK(contains(with_key("jwks: 'http://id.example/keys'"), "anybody could replace the keys"));
    CHECK(contains(with_key("jwks: 'http://127.0.0.1.example/keys'"), "anybody could replace the keys"));
    CHECK(contains(with_key("jwks: 'http://localhost@id.example/keys'"), "anybody could replace the keys"));
    CHECK(contains(with_key("jwks: 'http://localhost:1@id.example/keys'"), "anybody could replace the keys"));
    CHECK(contains(with_key("jwks: 'file:///etc/keys'"), "takes https"));
    CHECK(contains(with_key("jwks: ''"), "takes a file or a URL"));
    CHECK(contains(with_key("jwks: keys.json, algorithm: RS256"), "algorithm does not go with jwks"));
    CHECK(contains(with_key("jwks: keys.json, secret: \"" + secret + "\""), "secret does not go with jwks"));
    CHECK(contains(with_key("algorithm: ES256, secret: \"" + secret + "\""), "give `public_key`"));
    CHECK(contains(with_key("algorithm: ES256"), "public_key is missing"));
    CHECK(contains(with_key("algorithm: HS256, public_key: id.pem, secret: \"" + secret + "\""), "public_key does not go with HS256"));
}

TEST_CASE("rules are read with their predicates and places")
{
    const auto read = valid(R"(
tables:
  public.orders:
    - roles: [customer, 7]
      where: {owner_id: $claims.sub, total: {gte: 100}}
      columns: [id, status]
    - {}
  public."Odd ""Table": []
channels:
  news: [{}]
  "room:*": [{roles: [member], where: {channel: {in: $claims.rooms}}}]
)");
    const auto& orders = read.rules.tables.at("public.orders");
    REQUIRE(orders.size() == 2);
    CHECK(orders[0].roles == std::vector<std::string>{"customer", "7"});
    CHECK(orders[0].columns == std::vector<std::string>{"id", "status"});
    CHECK(orders[0].at.line == 4);
    std::vector<std::string> named;
    orders[0].where.columns(named);
    CHECK(named == std::vector<std::string>{"owner_id", "total"});
    CHECK(orders[1].where.always());
    CHECK_FALSE(orders[1].columns);
    CHECK(read.rules.tables.count("public.\"Odd \"\"Table\"") == 1);
    REQUIRE(read.rules.channels.size() == 2);
    CHECK(read.rules.channels[1].first == "room:*");
}

TEST_CASE("rules that mean nothing, or more than was meant, are refused")
{
    CHECK(contains(problems("tables: {orders: []}"), "'orders' is not the name of a table as PostgreSQL prints it"));
    for (const auto* name : {"Public.orders", "public.orders.x", "public.", ".orders", "public.Orders", "public.\"x",
                             "public.\"\"", "1a.b", "a b.c"}) {
        CAPTURE(name);
        CHECK(contains(problems("tables:\n  '" + std::string(name) + "': []"), "is not the name of a table"));
    }
    CHECK(contains(problems("tables: {public.t: }"), "takes a list of rules"));
    CHECK(contains(problems("tables: {public.t: {roles: [a]}}"), "takes a list of rules"));
    CHECK(contains(problems("tables: {public.t: [~]}"), "is empty; write {}"));
    CHECK(contains(problems("tables: {public.t: [{roles: []}]}"), "roles is empty; leave it out"));
    CHECK(contains(problems("tables: {public.t: [{roles: admin}]}"), "takes a list of texts, not 'admin'"));
    CHECK(contains(problems("tables: {public.t: [{roles: }]}"), "roles has no value"));
    CHECK(contains(problems("tables: {public.t: [{where: }]}"), "where has no value"));
    CHECK(contains(problems("tables: {public.t: [{columns: }]}"), "columns has no value"));
    CHECK(contains(problems("tables: {public.t: [{columns: []}]}"), "columns is empty"));
    CHECK(contains(problems("tables: {public.t: [{columns: [id, id]}]}"), "twice"));
    CHECK(problems("tables:\n  public.t:\n    - where: {a: {eqq: 1}}") ==
          "test.yaml:3:24: error: tables.public.t[0].where.a has no operator 'eqq'; did you mean 'eq'?");
    CHECK(contains(problems("tables: {public.t: [{where: {a: $claim.sub}}]}"), "did you mean '$claims'"));
    CHECK(contains(problems("channels: {\"a*b\": []}"), "is not a channel"));
    CHECK(contains(problems("channels: {\"\": []}"), "is not a channel"));
    CHECK(contains(problems("channels: {\"**\": []}"), "is not a channel"));
}

TEST_CASE("sets have a query, parameters and the tables that they are watched through")
{
    const config::configuration read = valid("sets:\n"
                                             "  rooms:\n"
                                             "    query: select room from members where user_id = $1::int and kind = $2\n"
                                             "    params: [$claims.org.id, $$1]\n"
                                             "    watch: [public.members]\n"
                                             "channels: {\"room:*\": [{where: {channel: {in: $sets.rooms}}}]}\n");
    const policy::set_definition& rooms = *read.rules.sets.at("rooms");
    CHECK(rooms.query == "select room from members where user_id = $1::int and kind = $2");
    REQUIRE(rooms.parameters.size() == 2);
    CHECK(std::get<policy::predicate::reference>(rooms.parameters[0]).name() == "org.id");
    CHECK(*std::get<core::value>(rooms.parameters[1]).as_string() == "$1");
    CHECK(rooms.watch == std::vector<std::string>{"public.members"});
}

TEST_CASE("sets that cannot be meant so are told with their place")
{
    CHECK(problems("sets: {a: {query: select 1, watch: [public.t]}}\n"
                   "tables:\n  public.t:\n    - where: {id: {in: $sets.b}}") ==
          "test.yaml:4:24: error: there is no set 'b' under 'sets'; did you mean 'a'?");
    CHECK(contains(problems("sets: {a: {watch: [public.t]}}"), "sets.a has no query"));
    CHECK(contains(problems("sets: {a: {query: select 1}}"), "sets.a.watch names no table"));
    CHECK(contains(problems("sets: {a: {query: select 1, watch: [t]}}"), "'t' is not the name of a table"));
    CHECK(contains(problems("sets: {a: {query: select 1, watch: [public.t], params: x}}"), "takes a list"));
    CHECK(contains(problems("sets: {a: {query: select 1, watch: [public.t], params: [$claim.sub]}}"), "did you mean '$claims'"));
    CHECK(contains(problems("sets: {a: {query: select 1, watch: [public.t], params: [[1]]}}"), "plain values"));
    CHECK(contains(problems("sets: {a: {query: select 1, watch: [public.t], parms: []}}"), "did you mean 'params'"));
}

TEST_CASE("files that cannot be read, or are too large, are problems")
{
    const auto path =
        std::filesystem::temp_directory_path() / ("rowcast-config-test-" + std::to_string(::getpid()) + ".yaml");
    const auto refusal = [&](const std::filesystem::path& file) {
        const auto read = config::load(file, with({}));
        const auto* found = std::get_if<std::vector<config::problem>>(&read);
        REQUIRE(found);
        return to_string(found->front(), "f");
    };
    CHECK(refusal(path) == "f: error: cannot be read; name another file with --config");
    CHECK(refusal(std::filesystem::temp_directory_path()) == "f: error: cannot be read; name another file with --config");
    std::ofstream(path) << std::string(config::largest_file + 1, '#');
    CHECK(refusal(path) == "f: error: is larger than 1MB; this cannot be a configuration");
    std::ofstream(path) << "log: {level: error}\n";
    CHECK(std::get<config::configuration>(config::load(path, with({}))).log.level == "error");
    std::filesystem::remove(path);
}
