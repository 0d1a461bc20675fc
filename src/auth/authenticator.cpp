#include "auth/authenticator.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "auth/key.hpp"
#include "config/jwt.hpp"
#include "core/base64url.hpp"
#include "protocol/json.hpp"

namespace rowcast::auth {
namespace {

using core::error_code;
using core::failure;
using core::result;
using core::value;

constexpr std::size_t longest_token = 8 * 1024;

failure invalid(std::string why)
{
    return {error_code::token_invalid, std::move(why)};
}

// One part of the token as an object. The parser's own message would quote the token, so it is left out.
result<value> read_part(std::string_view name, std::string_view text)
{
    const auto bytes = core::from_base64url(text);
    if (!bytes) {
        return invalid("the token's " + std::string(name) + " is not base64url");
    }
    auto tree = protocol::parse_json(*bytes, {longest_token, 16});
    if (!tree || !tree->as_object()) {
        return invalid("the token's " + std::string(name) + " is not a JSON object with each member once");
    }
    return tree;
}

struct token_parts {
    value header;
    value claims;
};

result<token_parts> read_token(std::string_view token)
{
    if (token.size() > longest_token) {
        return invalid("the token is larger than 8 KB");
    }
    const std::size_t first = token.find('.');
    const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
    if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
        return invalid("the token is not a signed JSON Web Token (three parts with dots between)");
    }
    // The library takes more than one spelling of the same bytes.
    if (!core::from_base64url(token.substr(second + 1))) {
        return invalid("the token's signature is not base64url");
    }
    auto header = read_part("header", token.substr(0, first));
    if (!header) {
        return header.error();
    }
    auto claims = read_part("payload", token.substr(first + 1, second - first - 1));
    if (!claims) {
        return claims.error();
    }
    return token_parts{std::move(*header), std::move(*claims)};
}

// A NumericDate (RFC 7519 section 2); nothing where the claim is absent.
result<std::optional<std::int64_t>> read_time(const value& claims, std::string_view name)
{
    const value* found = claims.find(name);
    if (!found) {
        return std::optional<std::int64_t>();
    }
    const core::number* number = found->as_number();
    const double seconds = number ? std::strtod(number->digits.c_str(), nullptr) : std::nan("");
    if (!(std::abs(seconds) < 1e15)) {
        return invalid("the token's '" + std::string(name) + "' is not a time in seconds");
    }
    return std::optional(static_cast<std::int64_t>(std::floor(seconds)));
}

bool has_audience(const value& claims, const std::string& wanted)
{
    const value* found = claims.find("aud");
    if (!found) {
        return false;
    }
    const auto matches = [&](const value& each) { return each.as_string() && *each.as_string() == wanted; };
    const core::list* several = found->as_list();
    return several ? std::any_of(several->begin(), several->end(), matches) : matches(*found);
}

result<std::string> read_id(const value& claims)
{
    const value* found = claims.find("jti");
    if (!found) {
        return std::string();
    }
    if (const std::string* text = found->as_string()) {
        return *text;
    }
    return invalid("the token's 'jti' is not a string"); // nobody could revoke it
}

std::string read_key_file(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        throw std::invalid_argument("auth.jwt: the file of public_key, " + path + ", cannot be opened");
    }
    std::string text(std::istreambuf_iterator<char>(file), {});
    return text;
}

key key_of(const config::jwt_key& from)
{
    const auto known = config::jwt_algorithms();
    if (std::find(known.begin(), known.end(), from.algorithm) == known.end()) {
        throw std::invalid_argument("auth.jwt: '" + from.algorithm + "' is not an algorithm that tokens are verified with here");
    }
    if (config::is_symmetric(from.algorithm)) {
        if (from.secret.empty()) {
            throw std::invalid_argument("auth.jwt: a key of " + from.algorithm + " needs a secret");
        }
        return secret_key(from.algorithm, from.secret);
    }
    auto made = public_key(from.algorithm, read_key_file(from.public_key));
    if (!made) {
        throw std::invalid_argument("auth.jwt: " + from.public_key + " " + made.error().message);
    }
    return std::move(*made);
}

std::string text_of(const value& header, std::string_view name)
{
    const value* found = header.find(name);
    return found && found->as_string() ? *found->as_string() : std::string();
}

} // namespace

// What the header says of who has signed: a claim until the signature is verified, and then no more than a hint.
struct authenticator::signed_token {
    std::string_view text;
    std::string algorithm;
    std::string key_id;

    bool is_by(const key& each) const
    {
        const bool other = !key_id.empty() && !each.id.empty() && key_id != each.id;
        return !other && is_signed(text, algorithm, each);
    }
};

authenticator::authenticator(config::auth settings, const observe::sink& tell, const authenticator* before)
    : settings_(std::move(settings))
{
    static std::atomic<std::uint64_t> numbers = 0;
    for (const config::jwt_key& each : settings_.jwt) {
        trusted made{each, 0, nullptr, nullptr};
        if (!each.jwks) {
            made.fixed = std::make_shared<const key_set>(key_set{key_of(each)});
        }
        const auto is_same = [&](const trusted& old) {
            return old.what.jwks == each.jwks && old.what.issuer == each.issuer && old.what.audience == each.audience &&
                   (each.jwks || *old.fixed == *made.fixed);
        };
        const trusted* old = nullptr;
        if (before) {
            const auto found = std::find_if(before->trusted_.begin(), before->trusted_.end(), is_same);
            old = found != before->trusted_.end() ? &*found : nullptr;
        }
        made.number = old ? old->number : ++numbers;
        if (each.jwks) {
            made.source = old ? old->source : std::make_shared<key_source>(*each.jwks, tell);
        }
        trusted_.push_back(std::move(made));
    }
}

bool authenticator::trusts(std::uint64_t key) const
{
    return std::any_of(trusted_.begin(), trusted_.end(), [key](const trusted& each) { return each.number == key; });
}

// What the token must say besides being signed by the key.
result<void> authenticator::check(const config::jwt_key& key, const value& claims, std::int64_t now) const
{
    const auto not_before = read_time(claims, "nbf");
    const auto expires = read_time(claims, "exp");
    const auto issued = read_time(claims, "iat");
    for (const auto* each : {&not_before, &expires, &issued}) {
        if (!*each) {
            return each->error();
        }
    }
    if (key.issuer) {
        const value* issuer = claims.find("iss");
        if (!issuer || !issuer->as_string() || *issuer->as_string() != *key.issuer) {
            return invalid("the token is from another issuer");
        }
    }
    if (key.audience && !has_audience(claims, *key.audience)) {
        return invalid("the token is for another audience");
    }
    const std::int64_t leeway = std::chrono::floor<std::chrono::seconds>(settings_.leeway).count();
    if (*not_before && **not_before > now + leeway) {
        return invalid("the token is not valid yet");
    }
    if (*issued && **issued > now + leeway) {
        return invalid("the token says that it will be issued later"); // and would escape a revocation of its user
    }
    if (*expires && **expires + leeway <= now) {
        return failure{error_code::token_expired, "the token expired " + std::to_string(now - **expires) + " s ago"};
    }
    return {};
}

result<policy::identity> authenticator::verify(std::string_view token, std::int64_t now) const
{
    if (settings_.jwt.empty()) {
        return invalid("no keys are configured (auth.jwt), so no token can be verified");
    }
    auto parts = read_token(token);
    if (!parts) {
        return parts.error();
    }
    if (parts->header.find("crit")) {
        return invalid("the token's header demands an extension ('crit')");
    }
    const signed_token given{token, text_of(parts->header, "alg"), text_of(parts->header, "kid")};
    std::optional<failure> why;
    for (const trusted& each : trusted_) {
        const std::shared_ptr<const key_set> keys = each.fixed ? each.fixed : each.source->now();
        if (!keys || std::none_of(keys->begin(), keys->end(), [&](const key& one) { return given.is_by(one); })) {
            continue;
        }
        if (auto fine = check(each.what, parts->claims, now); !fine) {
            why = fine.error();
            continue; // one key may serve two issuers
        }
        return identify(std::move(parts->claims), each);
    }
    return why ? *why : nobody_signed(given);
}

// The keys may have been changed at the issuer, or not have come yet.
failure authenticator::nobody_signed(const signed_token& token) const
{
    for (const trusted& each : trusted_) {
        if (!each.source) {
            continue;
        }
        const auto keys = each.source->now();
        const auto is_named = [&](const key& one) { return one.id == token.key_id; };
        const bool unknown = !keys || (!token.key_id.empty() && std::none_of(keys->begin(), keys->end(), is_named));
        if (!keys || (unknown && each.source->demand())) {
            return {error_code::unavailable, "the keys that tokens are verified with are being fetched; try again"};
        }
    }
    return invalid("no configured key has signed the token");
}

// What `check` has read already is what it should be.
result<policy::identity> authenticator::identify(value claims, const trusted& by) const
{
    auto id = read_id(claims);
    const auto expires = read_time(claims, "exp");
    const auto issued = read_time(claims, "iat");
    auto who = policy::identify(std::move(claims), by.what.roles_claim.value_or(settings_.roles_claim));
    if (!who || !id) {
        return !who ? who.error() : id.error();
    }
    who->expires = *expires;
    who->grace = std::chrono::floor<std::chrono::seconds>(settings_.grace).count();
    who->issued = *issued;
    who->token_id = std::move(*id);
    who->signed_by = by.number;
    return who;
}

result<policy::identity> authenticator::suppose(value claims) const
{
    return config::identify(settings_, std::move(claims));
}

result<policy::identity> authenticator::anonymous() const
{
    if (!settings_.anonymous) {
        return failure{error_code::token_missing, ""};
    }
    return policy::identity{"", {"anonymous"}, {core::object{}}, std::nullopt};
}

std::vector<config::problem> problems(const config::auth& settings)
{
    std::vector<config::problem> found;
    for (const config::jwt_key& each : settings.jwt) {
        if (each.jwks && config::is_url(*each.jwks)) {
            continue;
        }
        if (each.jwks) {
            if (const auto keys = read_key_set_file(*each.jwks); !keys) {
                found.push_back({each.at, "auth.jwt: " + *each.jwks + ": " + keys.error().message});
            }
            continue;
        }
        try {
            key_of(each);
        } catch (const std::invalid_argument& unusable) {
            found.push_back({each.at, unusable.what()});
        }
    }
    return found;
}

std::string issue(const value& claims, const config::jwt_key& key)
{
    return sign(protocol::to_json(claims), key.algorithm, secret_key(key.algorithm, key.secret));
}

} // namespace rowcast::auth
