// Tokens: as they come (one that begins with a brace is a header and, from the second line on, a payload: it is signed as a client who
// knows the secret could, whatever its header says).

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "auth/authenticator.hpp"
#include "core/base64url.hpp"
#include "fuzz/fuzzer.hpp"
#include "protocol/json.hpp"

namespace rowcast::fuzz {
namespace {

constexpr std::int64_t now = 1'800'000'000;

auth::authenticator with_secret(const std::string& secret)
{
    config::auth settings;
    settings.jwt.emplace_back();
    settings.jwt.back().algorithm = "HS256";
    settings.jwt.back().secret = secret;
    return auth::authenticator(settings);
}

const std::string secret = "the fuzzer's secret, of 32 bytes or more";
const auth::authenticator ours = with_secret(secret);
const auth::authenticator stranger = with_secret("a secret that was never used, of 32 bytes or more");

std::string sign(const std::string& text)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         digest, &size);
    return text + "." + core::to_base64url({reinterpret_cast<const char*>(digest), size});
}

void check(const core::result<policy::identity>& who, std::string_view token)
{
    if (!who) {
        must_be_readable(who.error().message);
        must(who.error().message.find("QwErTy") == std::string::npos, "no message contains a part of a token"); // some of the corpus have it
        return;
    }
    must(token.size() <= 8 * 1024, "a token has its limit");
    must(!who->expires || *who->expires > now - 31, "a token that has expired is refused");
    must(!who->issued || *who->issued <= now + 31, "a token from the future is refused");
    must(who->claims.as_object() != nullptr, "claims are an object");
    must(who->roles.size() <= 1000, "roles have their limit");
    must(who->signed_by != 0, "a token is signed by somebody");
}

} // namespace

void parse(std::string_view input)
{
    if (!input.starts_with('{')) {
        const std::string token(input);
        check(ours.verify(token, now), token);
        must(stranger.verify(token, now).has_error(), "a token that we did not sign is never believed");
        return;
    }
    const std::size_t line = std::min(input.find('\n'), input.size() - 1);
    const std::string_view header = input.substr(0, line);
    const std::string_view payload = input.substr(line + 1);
    const std::string unsigned_token = core::to_base64url(header) + "." + core::to_base64url(payload);
    const std::string token = sign(unsigned_token);
    const auto who = ours.verify(token, now);
    check(who, token);
    must(stranger.verify(token, now).has_error(), "a token that we did not sign is never believed");
    must(ours.verify(unsigned_token + ".", now).has_error(), "a token without a signature is never believed");
    if (who) {
        const auto read = protocol::parse_json(header);
        const auto* algorithm = read ? read->find("alg") : nullptr;
        must(algorithm && algorithm->as_string() && *algorithm->as_string() == "HS256", "a token does not choose its algorithm");
        must(!read->find("crit"), "an extension that is not known is refused");
        must(protocol::parse_json(payload).has_value(), "claims are JSON");
    }
}

} // namespace rowcast::fuzz
