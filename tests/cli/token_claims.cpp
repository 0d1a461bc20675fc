#include "cli/token_claims.hpp"

#include "auth/authenticator.hpp"
#include "protocol/json.hpp"

#include <catch2/catch.hpp>

using namespace rowcast;
using cli::claims_for;
using std::chrono::seconds;

namespace {

config::auth one_key()
{
    config::auth settings;
    settings.jwt = {{.algorithm = "HS256",
                     .secret = std::string(32, 's'),
                     .public_key = {},
                     .jwks = {},
                     .issuer = "us",
                     .audience = "shop",
                     .at = {}}};
    return settings;
}

std::string message_of(const cli::token_wish& wish, const config::auth& settings = one_key())
{
    return claims_for(wish, settings, seconds{100}, seconds{60}).error().message;
}

}

TEST_CASE("a token has the subject, roles, times, and what the key asks for")
{
    const auto claims = claims_for({"7", {"customer", "vip"}, {}}, one_key(), seconds{100}, seconds{60});
    CHECK(protocol::to_json(*claims) ==
          R"({"sub":"7","iat":100,"exp":160,"iss":"us","aud":"shop","roles":["customer","vip"]})");
}

TEST_CASE("a claim's value is JSON, or else text")
{
    const auto claims =
        claims_for({"", {}, {"branch=1", "name=Ann", "tags=[\"a\"]", "empty="}}, {}, seconds{0}, seconds{1});
    CHECK(protocol::to_json(*claims) == R"({"iat":0,"exp":1,"branch":1,"name":"Ann","tags":["a"],"empty":""})");
}

TEST_CASE("roles stand where the configuration looks for them")
{
    config::auth settings = one_key();
    settings.roles_claim = "realm_access.roles";
    const auto claims =
        claims_for({"7", {"customer"}, {"realm_access={\"x\":1}"}}, settings, seconds{100}, seconds{3600});
    CHECK_THAT(protocol::to_json(*claims), Catch::Contains(R"("realm_access":{"x":1,"roles":["customer"]})"));
    const auth::authenticator bridge{settings};
    const auto who = bridge.verify(auth::issue(*claims, settings.jwt[0]), 200);
    REQUIRE(who.has_value());
    CHECK(who->roles == std::vector<std::string>{"customer"});
}

TEST_CASE("roles stand where the key that signs looks for them")
{
    config::auth settings = one_key();
    settings.jwt[0].roles_claim = "groups";
    const auto claims = claims_for({"7", {"customer"}, {}}, settings, seconds{100}, seconds{3600});
    const auto who = auth::authenticator{settings}.verify(auth::issue(*claims, settings.jwt[0]), 200);
    REQUIRE(who.has_value());
    CHECK(who->roles == std::vector<std::string>{"customer"});
}

TEST_CASE("a claim that makes no sense is refused")
{
    CHECK_THAT(message_of({"", {}, {"branch"}}), Catch::Contains("NAME=VALUE"));
    CHECK_THAT(message_of({"7", {}, {"sub=8"}}), Catch::Contains("'sub' is said twice"));
    CHECK_THAT(message_of({"7", {"a"}, {"roles=[]"}}), Catch::Contains("'roles' is said twice"));
}
