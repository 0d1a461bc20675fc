#include "auth/key.hpp"

#include <catch2/catch.hpp>

#include "auth/issuer.hpp"
#include "support/result.hpp"
#include "config/jwt.hpp"
#include "core/base64url.hpp"

using namespace rowcast;
using auth::is_signed;
using Catch::Contains;
using test::issuer;
using test::key_set_of;

namespace {

const std::string claims = R"({"sub":"ann"})";
const std::string secret(64, 's');

} // namespace

TEST_CASE("every algorithm is verified with its own key, and with no other", "[auth]")
{
    struct signer {
        std::string algorithm;
        std::string token;
        auth::key by;
    };
    std::vector<signer> all;
    for (const std::string_view algorithm : config::jwt_algorithms()) {
        if (config::is_symmetric(algorithm)) {
            const auth::key key = auth::secret_key(algorithm, secret);
            all.push_back({std::string(algorithm), auth::sign(claims, algorithm, key), key});
        } else {
            const issuer made(algorithm);
            const auto key = auth::public_key(algorithm, made.public_pem());
            REQUIRE(key);
            all.push_back({std::string(algorithm), made.token(claims), *key});
        }
    }
    for (const signer& one : all) {
        for (const signer& other : all) {
            INFO(one.algorithm << " held against a key of " << other.algorithm);
            CHECK(is_signed(one.token, one.algorithm, other.by) == (&one == &other));
        }
    }
}

TEST_CASE("a token that was changed anywhere is not signed", "[auth]")
{
    for (const char* const algorithm : {"HS256", "RS256", "ES256", "EdDSA"}) {
        INFO(algorithm);
        const bool symmetric = config::is_symmetric(algorithm);
        const auto made = symmetric ? std::optional<issuer>() : std::optional<issuer>(algorithm);
        const auth::key key = symmetric ? auth::secret_key(algorithm, secret) : *auth::public_key(algorithm, made->public_pem());
        const std::string token = symmetric ? auth::sign(claims, algorithm, key) : made->token(claims);
        REQUIRE(is_signed(token, algorithm, key));
        for (std::size_t i = 0; i < token.size(); i += 7) {
            std::string other = token;
            other[i] = other[i] == 'A' ? 'B' : 'A';
            // The last characters of base64 may have bits that mean nothing.
            if (core::from_base64url(other.substr(other.rfind('.') + 1)) != core::from_base64url(token.substr(token.rfind('.') + 1)) ||
                i < token.rfind('.')) {
                CHECK_FALSE(is_signed(other, algorithm, key));
            }
        }
    }
}

TEST_CASE("a public key is no secret: what is signed with its text is refused", "[auth]")
{
    const issuer made("RS256");
    const std::string pem = made.public_pem();
    const auto key = auth::public_key("RS256", pem);
    REQUIRE(key);
    const std::string forged = auth::sign(claims, "HS256", auth::secret_key("HS256", pem));
    CHECK_FALSE(is_signed(forged, "HS256", *key));
    CHECK_FALSE(is_signed(forged, "RS256", *key));
    const std::string unsigned_token = core::to_base64url(R"({"alg":"none"})") + "." + core::to_base64url(claims) + ".";
    CHECK_FALSE(is_signed(unsigned_token, "none", *key));
    CHECK_FALSE(is_signed(unsigned_token, "RS256", *key));
}

TEST_CASE("a key in PEM that cannot be right says why", "[auth]")
{
    const issuer rsa("RS256");
    const issuer small("RS256", "", 1024);
    const issuer curve("ES256");
    CHECK_THAT(auth::public_key("RS256", "hello").error().message, Contains("neither a public key nor a certificate"));
    CHECK_THAT(auth::public_key("RS256", "").error().message, Contains("neither"));
    CHECK_THAT(auth::public_key("RS256", rsa.private_pem()).error().message, Contains("private key"));
    CHECK_THAT(auth::public_key("RS256", small.public_pem()).error().message, Contains("less than 2048 bits"));
    CHECK_THAT(auth::public_key("ES256", rsa.public_pem()).error().message, Contains("not a key for ES256"));
    CHECK_THAT(auth::public_key("ES384", curve.public_pem()).error().message, Contains("curve"));
}

TEST_CASE("a key set gives the keys that verify, and leaves the others out", "[auth]")
{
    const issuer rsa("RS256", "r1");
    const issuer curve("ES256", "e1");
    const issuer small("RS256", "small", 1024);
    const std::string encrypts = R"({"kty":"EC","use":"enc","crv":"P-256",)" + curve.public_jwk().substr(1);
    const std::string oct = R"({"kty":"oct","kid":"s1","k":")" + core::to_base64url(secret) + "\"}";
    const auto read = auth::read_key_set(
        key_set_of({rsa.public_jwk(), curve.public_jwk(), small.public_jwk(), oct, R"({"kty":"unknown","kid":"u"})"}), false);
    REQUIRE(read);
    REQUIRE(read->size() == 2);
    CHECK(read->at(0).id == "r1");
    CHECK(read->at(1).algorithms == std::vector<std::string>{"ES256"});
    CHECK(is_signed(rsa.token(claims), "RS256", read->at(0)));

    const auto with_secret = auth::read_key_set(key_set_of({oct}), true);
    REQUIRE(with_secret);
    CHECK(with_secret->at(0).id == "s1");
    CHECK_FALSE(auth::read_key_set(key_set_of({oct}), false));
    CHECK_FALSE(auth::read_key_set(key_set_of({encrypts}), false));
    for (const char* const bad : {"", "null", "[]", "{}", R"({"keys":[]})", R"({"keys":1})", R"({"keys":[1,null,"x",{}]})", "{\"keys\":[{"}) {
        INFO(bad);
        CHECK_FALSE(auth::read_key_set(bad, true));
    }
}

TEST_CASE("a key that names its algorithm is used with no other", "[auth]")
{
    const issuer rsa("RS256", "r1");
    const std::string jwk = R"({"alg":"PS256",)" + rsa.public_jwk().substr(1);
    const auto read = auth::read_key_set(key_set_of({jwk}), false);
    REQUIRE(read);
    CHECK(read->at(0).algorithms == std::vector<std::string>{"PS256"});
    CHECK_FALSE(is_signed(rsa.token(claims), "RS256", read->at(0)));
    const std::string wrong = R"({"alg":"ES256",)" + rsa.public_jwk().substr(1);
    CHECK_FALSE(auth::read_key_set(key_set_of({wrong}), false));
}
