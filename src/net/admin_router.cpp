#include "net/admin_router.hpp"

#include <openssl/crypto.h>

#include <algorithm>

#include "core/excerpt.hpp"
#include "net/caller.hpp"
#include "net/origin.hpp"
#include "protocol/json.hpp"
#include "protocol/query_string.hpp"

namespace rowcast::net {
namespace {

using core::error_code;
using core::failure;

constexpr std::string_view folder = "/admin";

// Nothing but what the page brings along runs in it, and none of it makes markup of text (W3C CSP3, Trusted Types).
constexpr std::string_view page_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

// In a time that does not tell how much of it was right.
bool is_same(std::string_view left, std::string_view right)
{
    return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

bool is_json(std::string_view content_type)
{
    return content_type.substr(0, content_type.find_first_of("; \t")) == "application/json";
}

answer refuse_method(std::string allowed)
{
    answer out = refuse({error_code::method_not_allowed, "this resource takes " + allowed});
    out.headers.emplace_back("Allow", std::move(allowed));
    return out;
}

bool is_read(const request& asked)
{
    return asked.method == "GET" || asked.method == "HEAD";
}

} // namespace

route admin_router::find(const request& asked) const
{
    if (!may_talk(asked, {})) {
        return refuse({error_code::forbidden, "pages of " + core::excerpt(asked.origin) + " have no business here"});
    }
    const bool reads = is_read(asked);
    if (auto fixed = find_state(asked.path, with_)) {
        return reads ? std::move(*fixed) : refuse_method("GET, HEAD");
    }
    if (asked.path == "/metrics" && with_.metrics) {
        return reads ? answer{200, "text/plain; version=0.0.4; charset=utf-8", with_.metrics(), {}} : refuse_method("GET, HEAD");
    }
    if (asked.path == folder || asked.path.starts_with(std::string(folder) + "/")) {
        return administer(asked, std::string_view(asked.path).substr(std::min(folder.size() + 1, asked.path.size())));
    }
    return refuse({error_code::not_found, "there is nothing at " + core::excerpt(asked.path)});
}

route admin_router::administer(const request& asked, std::string_view name) const
{
    if (!is_own_name(asked.host, settings_.admin_hosts)) {
        return refuse({error_code::forbidden, "this bridge is not known as " + core::excerpt(asked.host) +
                                                  ": ask for its address, a name without a dot, or the name of its machine, or name this one in server.admin_hosts"});
    }
    if (auto found = with_.find_admin_page ? with_.find_admin_page(name) : std::nullopt) {
        return is_read(asked) ? answer{200, std::move(found->content_type), std::move(found->body), {{"Content-Security-Policy", std::string(page_policy)}}}
                              : refuse_method("GET, HEAD");
    }
    const auto read = with_.inspect.find(name);
    const auto call_made = with_.administer.find(name);
    const bool reads = is_read(asked);
    if (read == with_.inspect.end() && call_made == with_.administer.end()) {
        return refuse({error_code::not_found, "there is nothing at " + core::excerpt(asked.path)});
    }
    if (reads ? read == with_.inspect.end() : asked.method != "POST" || call_made == with_.administer.end()) {
        return refuse_method(read == with_.inspect.end() ? "POST" : call_made == with_.administer.end() ? "GET, HEAD" : "GET, HEAD, POST");
    }
    if (is_foreign(asked)) {
        return refuse({error_code::forbidden, "pages of another site have no business here"});
    }
    return reads ? look(asked, read->second) : call(asked, call_made->second);
}

core::result<void> admin_router::authorize(const request& asked) const
{
    if (settings_.admin_token.empty()) {
        return failure{error_code::forbidden,
                       "calls are refused as long as no server.admin_token is configured, also on this machine: any program and "
                       "any web page of its users could make them"};
    }
    request without_url = asked; // which is written into logs
    without_url.query.clear();
    const auto token = find_token(without_url);
    if (!token) {
        return token.error();
    }
    if (!*token) {
        return failure{error_code::token_missing, "send server.admin_token as 'Authorization: Bearer TOKEN'"};
    }
    if (!is_same(**token, settings_.admin_token)) {
        return failure{error_code::token_invalid, "this is not server.admin_token"};
    }
    return {};
}

route admin_router::look(const request& asked, const admin_action& at) const
{
    if (auto allowed = authorize(asked); !allowed) {
        return refuse(allowed.error());
    }
    auto parameters = protocol::parse_query(asked.query);
    if (!parameters) {
        return refuse(parameters.error());
    }
    core::object given;
    for (protocol::parameter& each : *parameters) {
        given.emplace_back(std::move(each.name), core::value{std::move(each.value)});
    }
    return open_call{at, {core::value{std::move(given)}, to_string(asked.from)}};
}

route admin_router::call(const request& asked, const admin_action& action) const
{
    if (!asked.query.empty()) {
        return refuse({error_code::bad_request, "what is asked for stands in the body; a URL is written into logs"});
    }
    if (auto allowed = authorize(asked); !allowed) {
        return refuse(allowed.error());
    }
    if (!is_json(asked.content_type)) {
        return refuse({error_code::bad_request, "send Content-Type: application/json"});
    }
    auto body = asked.body.empty() ? core::value{core::object{}} : protocol::parse_json(asked.body);
    if (!body) {
        return refuse(body.error());
    }
    if (!body->as_object()) {
        return refuse({error_code::malformed, "the body is a JSON object"});
    }
    return open_call{action, {std::move(*body), to_string(asked.from)}};
}

} // namespace rowcast::net
