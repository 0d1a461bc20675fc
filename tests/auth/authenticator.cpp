#include "auth/authenticator.hpp"

#include <catch2/catch.hpp>

#include "support/result.hpp"

#include <random>
#include <thread>

#include "core/base64url.hpp"
#include "protocol/json.hpp"

using namespace rowcast;
using auth::authenticator;
using core::error_code;

namespace {

constexpr std::int64_t now = 1'763'720'000;
constexpr std::int64_t leeway = 30; // the default

config::jwt_key key(std::string secret = "a secret of thirty-two characters")
{
    config::jwt_key made;
    made.algorithm = "HS256";
    made.secret = std::move(secret);
    return made;
}

authenticator with(std::vector<config::jwt_key> keys, std::string roles_claim = "roles")
{
    return authenticator({std::move(keys), std::move(roles_claim), true});
}

std::string token(const std::string& claims, const config::jwt_key& signer = key())
{
    return auth::issue(*protocol::parse_json(claims), signer);
}

error_code refused(const authenticator& by, const std::string& text)
{
    auto who = by.verify(text, now);
    REQUIRE_FALSE(who);
    // The message goes to clients and logs.
    const std::size_t first = text.find('.');
    if (first != std::string::npos && first > 4) {
        CHECK(who.error().message.find(text.substr(0, first)) == std::string::npos);
    }
    return who.error().code;
}

std::string made_of(const std::string& header, const std::string& claims, const std::string& signature = "AAAA")
{
    return core::to_base64url(header) + "." + core::to_base64url(claims) + "." + signature;
}

} // namespace

TEST_CASE("a token gives its subject, roles, claims and end", "[auth]")
{
    auto who = with({key()}).verify(token(R"({"sub":"ann","roles":["customer","support"],"org":{"id":12345678901234567890},"exp":1763720060})"), now);
    REQUIRE(who);
    CHECK(who->subject == "ann");
    CHECK(who->roles == std::vector<std::string>{"customer", "support"});
    CHECK(who->claims.find("org")->find("id")->as_number()->digits == "12345678901234567890");
    CHECK(who->expires == 1763720060);
}

TEST_CASE("roles are a string or a list, at the end of a dotted path", "[auth]")
{
    CHECK(with({key()}).verify(token(R"({"roles":"admin"})"), now)->roles == std::vector<std::string>{"admin"});
    CHECK(with({key()}).verify(token(R"({"sub":"x"})"), now)->roles.empty());
    CHECK(with({key()}, "realm.access.roles").verify(token(R"({"realm":{"access":{"roles":["a"]}}})"), now)->roles ==
          std::vector<std::string>{"a"});
    CHECK(with({key()}, "https://example.com/roles").verify(token(R"({"https://example.com/roles":["a"]})"), now)->roles ==
          std::vector<std::string>{"a"});
    CHECK(refused(with({key()}), token(R"({"roles":[1]})")) == error_code::token_invalid);
    CHECK(refused(with({key()}), token(R"({"roles":{"admin":true}})")) == error_code::token_invalid);
}

TEST_CASE("OAuth's scope is a list in a string, another claim's string is one role", "[auth]")
{
    const auto roles = [](const std::string& claim, const std::string& claims) { return with({key()}, claim).verify(token(claims), now)->roles; };
    using list = std::vector<std::string>;
    CHECK(roles("scope", R"({"scope":"orders:read  orders:write "})") == list{"orders:read", "orders:write"});
    CHECK(roles("scp", R"({"scp":["a","b"]})") == list{"a", "b"});
    CHECK(roles("access.scope", R"({"access":{"scope":"a b"}})") == list{"a", "b"});
    CHECK(roles("scope", R"({"scope":""})").empty());
    CHECK(roles("roles", R"({"roles":"account manager"})") == list{"account manager"});
    CHECK(refused(with({key()}), token(R"({"roles":[["admin"]]})")) == error_code::token_invalid);
}

TEST_CASE("each key may have its own claim for the roles", "[auth]")
{
    auto second = key("the second secret, long enough too");
    second.roles_claim = "groups";
    const auto by = with({key(), second});
    const std::string claims = R"({"roles":["a"],"groups":["b"]})";
    CHECK(by.verify(token(claims), now)->roles == std::vector<std::string>{"a"});
    CHECK(by.verify(token(claims, second), now)->roles == std::vector<std::string>{"b"});
}

TEST_CASE("claims without a token speak for whom a token with them would", "[auth]")
{
    auto first = key();
    first.issuer = "a";
    auto second = key("the second secret, long enough too");
    second.issuer = "b";
    second.roles_claim = "scope";
    const auto by = with({first, second});
    for (const std::string& claims : {std::string(R"({"iss":"a","sub":7,"roles":["x"],"scope":"y z"})"),
                                      std::string(R"({"iss":"b","sub":"7","roles":["x"],"scope":"y z"})")}) {
        INFO(claims);
        const auto verified = by.verify(token(claims, claims.find(R"("a")") == std::string::npos ? second : first), now);
        const auto supposed = by.suppose(*protocol::parse_json(claims));
        REQUIRE(verified);
        REQUIRE(supposed);
        CHECK(supposed->subject == verified->subject);
        CHECK(supposed->roles == verified->roles);
    }
    CHECK(by.suppose(*protocol::parse_json(R"({"roles":["x"]})"))->roles == std::vector<std::string>{"x"});
    CHECK(by.suppose(*protocol::parse_json(R"({"roles":[["x"]]})")).error().code == error_code::token_invalid);
}

TEST_CASE("a token says what it can be revoked by", "[auth]")
{
    const auto by = with({key()});
    const auto who = by.verify(token(R"({"sub":"ann","jti":"t1","iat":1763719000})"), now);
    REQUIRE(who);
    CHECK(who->token_id == "t1");
    CHECK(who->issued == 1763719000);
    CHECK(refused(by, token(R"({"jti":7})")) == error_code::token_invalid);
    CHECK(refused(by, token(R"({"iat":"yesterday"})")) == error_code::token_invalid);
    CHECK(by.verify(token("{\"iat\":" + std::to_string(now + leeway) + "}"), now));
    CHECK(refused(by, token("{\"iat\":" + std::to_string(now + leeway + 1) + "}")) == error_code::token_invalid);
}

TEST_CASE("a session goes on for a while after its token's end", "[auth]")
{
    config::auth settings;
    settings.jwt = {key()};
    settings.grace = std::chrono::seconds(45);
    CHECK(authenticator(settings).verify(token(R"({"exp":1763720060})"), now)->ends() == 1763720105);
    CHECK_FALSE(authenticator(settings).verify(token("{}"), now)->ends());
}

TEST_CASE("a key that stays is the same one for who comes after, whatever stands beside it", "[auth]")
{
    const auto second = key("the second secret, long enough too");
    const auto before = with({key(), second});
    const auto signer = before.verify(token("{}", second), now)->signed_by;
    CHECK(before.trusts(signer));
    CHECK(authenticator({{second, key("a third, put in by a reload, and long")}, "roles", true}, {}, &before).trusts(signer));
    CHECK_FALSE(authenticator({{key()}, "roles", true}, {}, &before).trusts(signer));
    auto narrower = second;
    narrower.audience = "shop";
    CHECK_FALSE(authenticator({{narrower}, "roles", true}, {}, &before).trusts(signer));
}

TEST_CASE("several keys are tried, each with its own issuer and audience", "[auth]")
{
    auto first = key("the first secret, long enough for it");
    auto second = key("the second secret, long enough too");
    second.issuer = "https://issuer";
    second.audience = "rowcast";
    const auto by = with({first, second});
    CHECK(by.verify(token(R"({"sub":"a"})", first), now));
    CHECK(by.verify(token(R"({"iss":"https://issuer","aud":"rowcast"})", second), now));
    CHECK(by.verify(token(R"({"iss":"https://issuer","aud":["x","rowcast"]})", second), now));
    CHECK(refused(by, token(R"({"iss":"https://issuer"})", second)) == error_code::token_invalid);
    CHECK(refused(by, token(R"({"iss":"https://other","aud":"rowcast"})", second)) == error_code::token_invalid);
    CHECK(refused(by, token(R"({"aud":"rowcast"})", second)) == error_code::token_invalid);
    CHECK(refused(by, token(R"({})", key("nobody's secret, also long enough"))) == error_code::token_invalid);
}

TEST_CASE("a token has its time, with a leeway for clocks", "[auth]")
{
    const auto by = with({key()});
    const auto at = [](const char* claim, std::int64_t when) { return token("{\"" + std::string(claim) + "\":" + std::to_string(when) + "}"); };
    CHECK(by.verify(at("exp", now - leeway + 1), now));
    CHECK(refused(by, at("exp", now - leeway)) == error_code::token_expired);
    CHECK(by.verify(at("nbf", now + leeway), now));
    CHECK(refused(by, at("nbf", now + leeway + 1)) == error_code::token_invalid);
    CHECK(by.verify(token(R"({"exp":1763720000.5})"), now)->expires == 1763720000);
    CHECK(refused(by, token(R"({"exp":"1763720060"})")) == error_code::token_invalid);
    CHECK(refused(by, token(R"({"exp":1e300})")) == error_code::token_invalid);
    CHECK(refused(by, token(R"({"exp":null})")) == error_code::token_invalid);
}

TEST_CASE("only the configured algorithm counts", "[auth]")
{
    const auto by = with({key()});
    const std::string algorithm = GENERATE(as<std::string>(), "none", "None", "NONE", "HS512", "RS256", "hs256", "");
    CHECK(refused(by, made_of("{\"alg\":\"" + algorithm + "\"}", R"({"sub":"ann"})")) == error_code::token_invalid);
    CHECK(refused(by, made_of("{\"alg\":\"" + algorithm + "\"}", R"({"sub":"ann"})", "")) == error_code::token_invalid);

    // The right signature over a header that names another algorithm.
    auto other = key();
    other.algorithm = "HS512";
    CHECK(refused(by, token(R"({"sub":"ann"})", other)) == error_code::token_invalid);
}

TEST_CASE("a damaged token is refused", "[auth]")
{
    const auto by = with({key()});
    const std::string good = token(R"({"sub":"ann","roles":["admin"]})");
    REQUIRE(by.verify(good, now));
    const std::string text = GENERATE_COPY(as<std::string>(), "", ".", "..", "...", "a.b", "a.b.c", good + "A", good + ".", good + "=", " " + good,
                                           good.substr(0, good.rfind('.')), good.substr(0, good.rfind('.') + 1), good.substr(0, good.size() - 1));
    INFO(text);
    CHECK(refused(by, text) == error_code::token_invalid);
}

TEST_CASE("a signature has one spelling", "[auth]")
{
    const std::string good = token(R"({"sub":"ann"})");
    // 32 bytes leave two bits of their last character unused.
    std::string other = good;
    other.back() = static_cast<char>(other.back() + 1);
    CHECK(refused(with({key()}), other) == error_code::token_invalid);
}

TEST_CASE("a member that is there twice, a demand in the header and a huge token are refused", "[auth]")
{
    const auto by = with({key()});
    CHECK(refused(by, made_of(R"({"alg":"HS256","alg":"none"})", "{}")) == error_code::token_invalid);
    CHECK(refused(by, made_of(R"({"alg":"HS256"})", R"({"sub":"a","sub":"b"})")) == error_code::token_invalid);
    CHECK(refused(by, made_of(R"({"alg":"HS256","crit":["x"]})", "{}")) == error_code::token_invalid);
    CHECK(refused(by, token("{\"x\":\"" + std::string(9'000, 'x') + "\"}")) == error_code::token_invalid);
}

TEST_CASE("no change of a byte leaves a token valid", "[auth]")
{
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random(seed);
    const auto by = with({key()});
    const std::string good = token(R"({"sub":"ann","roles":["admin"]})");
    for (int round = 0; round < 2'000; ++round) {
        std::string bad = good;
        bad[random() % bad.size()] = static_cast<char>(random() % 256);
        if (bad != good) {
            INFO(round);
            REQUIRE_FALSE(by.verify(bad, now));
        }
    }
}

TEST_CASE("no token is the anonymous, or refused where a token is required", "[auth]")
{
    CHECK(with({key()}).anonymous()->roles == std::vector<std::string>{"anonymous"});
    CHECK(authenticator({{key()}, "roles", false}).anonymous().error().code == error_code::token_missing);
    CHECK(refused(with({}), token("{}")) == error_code::token_invalid);
}

TEST_CASE("a key that cannot be used stops the start", "[auth]")
{
    auto other = key();
    other.algorithm = "RS256";
    CHECK_THROWS_AS(with({other}), std::invalid_argument);
    CHECK_THROWS_AS(with({key("")}), std::invalid_argument);
}

TEST_CASE("threads verify side by side", "[auth]")
{
    const auto by = with({key()});
    const std::string good = token(R"({"sub":"ann"})");
    std::atomic<int> fine{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < 200; ++round) {
                fine += by.verify(good, now) ? 1 : 0;
            }
        });
    }
    for (auto& each : threads) {
        each.join();
    }
    CHECK(fine == 800);
}
