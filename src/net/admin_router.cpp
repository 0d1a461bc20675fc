#include "net/admin_router.hpp"

#include <openssl/crypto.h>

#include "net/caller.hpp"
#include "protocol/excerpt.hpp"
#include "protocol/json.hpp"

namespace rowcast::net {
namespace {

using core::error_code;
using core::failure;

constexpr std::string_view folder = "/admin/";

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

} // namespace

route admin_router::find(const request& asked) const
{
    // No page is served here, so that none's scripts have anything to look for.
    if (!asked.origin.empty()) {
        return refuse({error_code::forbidden, "pages of " + protocol::excerpt(asked.origin) + " have no business here"});
    }
    const bool reads = asked.method == "GET" || asked.method == "HEAD";
    if (auto fixed = find_state(asked.path, with_)) {
        return reads ? std::move(*fixed) : refuse_method("GET, HEAD");
    }
    if (asked.path == "/metrics" && with_.metrics) {
        return reads ? answer{200, "text/plain; version=0.0.4; charset=utf-8", with_.metrics(), {}} : refuse_method("GET, HEAD");
    }
    const std::string_view name = asked.path.starts_with(folder) ? std::string_view(asked.path).substr(folder.size()) : "";
    const bool is_action = with_.administer.contains(name);
    const bool is_state = with_.inspect.contains(name);
    if (is_action && asked.method == "POST") {
        return call(asked);
    }
    if (is_state && reads) {
        return inspect(asked);
    }
    if (is_action || is_state) {
        return refuse_method(!is_state ? "POST" : is_action ? "GET, HEAD, POST" : "GET, HEAD");
    }
    return refuse({error_code::not_found, "there is nothing at " + protocol::excerpt(asked.path)});
}

core::result<void> admin_router::authorize(const request& asked) const
{
    if (!asked.query.empty()) {
        return failure{error_code::bad_request, "a call has no parameters in its URL, which is written into logs; a POST has them in its body"};
    }
    if (settings_.admin_token.empty()) {
        return failure{error_code::forbidden,
                       "calls are refused as long as no server.admin_token is configured, also on this machine: any program and "
                       "any web page of its users could make them"};
    }
    const auto token = find_token(asked);
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

route admin_router::inspect(const request& asked) const
{
    if (auto allowed = authorize(asked); !allowed) {
        return refuse(allowed.error());
    }
    return open_call{with_.inspect.at(asked.path.substr(folder.size())), {{core::object{}}, asked.peer}};
}

route admin_router::call(const request& asked) const
{
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
    return open_call{with_.administer.at(asked.path.substr(folder.size())), {std::move(*body), asked.peer}};
}

} // namespace rowcast::net
