#include "net/router.hpp"

#include <algorithm>
#include <array>

#include "core/excerpt.hpp"
#include "core/row.hpp"
#include "net/caller.hpp"
#include "net/offer.hpp"
#include "net/origin.hpp"
#include "protocol/query_string.hpp"

namespace rowcast::net {
namespace {

using core::error_code;
using core::failure;

constexpr std::array<std::string_view, 7> resources{"/v1/ws",      "/v1/sse",  "/v1/changes", "/v1/rows",
                                                    "/v1/session", "/healthz", "/readyz"};
constexpr std::array<std::string_view, 9> methods{"GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT"};

answer not_found(const request& asked, const config::server& settings)
{
    const bool for_operators = asked.path == "/metrics" || asked.path.starts_with("/admin/");
    const std::string moved = settings.admin ? "; it is at server.admin" : "; it would be at server.admin, which is off";
    return refuse({error_code::not_found, "there is nothing at " + core::excerpt(asked.path) + (for_operators ? moved : "")});
}

answer refuse_origin(const request& asked)
{
    return refuse({error_code::forbidden, "pages of " + core::excerpt(asked.origin) + " are not among server.origins"});
}

std::string user_of(const policy::identity& who, const request& asked)
{
    return who.subject.empty() ? to_string(asked.from) : who.subject;
}

std::string join(const std::vector<std::string>& words)
{
    std::string out = "[";
    for (const std::string& word : words) {
        if (out.size() > 1) {
            out += ',';
        }
        core::append_quoted(out, word);
    }
    return out + "]";
}

bool offers(std::string_view list, std::string_view protocol)
{
    while (!list.empty()) {
        std::string_view part = list.substr(0, list.find(','));
        list.remove_prefix(std::min(part.size() + 1, list.size()));
        const std::size_t first = part.find_first_not_of(" \t");
        const std::size_t last = part.find_last_not_of(" \t");
        if (first != std::string_view::npos && part.substr(first, last - first + 1) == protocol) {
            return true;
        }
    }
    return false;
}

// 16 bytes in base64 (RFC 6455 section 4.2.1).
bool is_websocket_key(std::string_view text)
{
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return text.size() == 24 && text.ends_with("==") && text.find_first_not_of(alphabet) == 22;
}

} // namespace

route router::find(const request& asked) const
{
    if (std::find(methods.begin(), methods.end(), asked.method) == methods.end()) {
        return refuse({error_code::unsupported, "the method " + core::excerpt(asked.method) + " is not implemented"});
    }
    const bool known = std::find(resources.begin(), resources.end(), asked.path) != resources.end();
    const auto page = !known && with_.find_page ? with_.find_page(asked.path) : std::nullopt;
    if (!known && !page) {
        return not_found(asked, settings_);
    }
    if (asked.method == "OPTIONS") {
        return may_talk(asked, settings_.origins) ? preflight(asked) : refuse_origin(asked);
    }
    if (asked.method != "GET" && asked.method != "HEAD") {
        answer out = refuse({error_code::method_not_allowed, "this resource is only read: GET, HEAD or OPTIONS"});
        out.headers.emplace_back("Allow", "GET, HEAD, OPTIONS");
        return out;
    }
    if (page) {
        return answer{200, page->content_type, page->body, {}};
    }
    if (auto state = find_state(asked.path, with_)) {
        return std::move(*state);
    }
    if (!may_talk(asked, settings_.origins)) {
        return refuse_origin(asked);
    }
    if (asked.path == "/v1/ws") {
        return websocket(asked);
    }
    route out = asked.path == "/v1/session"   ? route(session(asked))
                : asked.path == "/v1/sse"     ? subscribe(asked, protocol::resource::sse)
                : asked.path == "/v1/changes" ? subscribe(asked, protocol::resource::changes)
                                              : subscribe(asked, protocol::resource::rows);
    if (auto* made = std::get_if<answer>(&out)) {
        add_cors_headers(*made, asked);
    }
    return out;
}

route router::websocket(const request& asked) const
{
    if (!asked.upgrade) {
        return refuse({error_code::bad_request, "this resource speaks WebSocket: send Upgrade: websocket"});
    }
    if (!is_websocket_key(asked.websocket_key)) {
        return refuse({error_code::bad_request, "Sec-WebSocket-Key is 16 bytes in base64"});
    }
    if (!asked.protocols.empty() && !offers(asked.protocols, "rowcast.v1")) {
        return refuse({error_code::bad_request, "the subprotocol of this resource is rowcast.v1"});
    }
    auto parameters = protocol::parse_query(asked.query);
    if (!parameters) {
        return refuse(parameters.error());
    }
    for (const protocol::parameter& given : *parameters) {
        if (given.name != "access_token") {
            return refuse({error_code::bad_request, "this resource has no parameter " + core::excerpt(given.name)});
        }
    }
    auto token = find_token(asked);
    if (!token) {
        return refuse(token.error());
    }
    auto who = *token ? with_.authenticate(std::string_view(**token)) : with_.authenticate(std::nullopt);
    if (!who && *token) {
        return refuse(who.error());
    }
    // Who has no token yet may bring one in the first message.
    if (*token && !is_offered(offered_, "websocket", user_of(*who, asked))) {
        answer out = refuse({error_code::not_offered, ""});
        out.subject = who->subject;
        return out;
    }
    return open_websocket{who ? std::optional(std::move(*who)) : std::nullopt, token->has_value()};
}

route router::subscribe(const request& asked, protocol::resource of) const
{
    auto who = identify(asked, with_);
    if (!who) {
        return refuse(who.error());
    }
    const std::string subject = who->subject;
    route out = subscribe(asked, of, std::move(*who));
    if (auto* refused = std::get_if<answer>(&out)) {
        refused->subject = subject;
    }
    return out;
}

route router::subscribe(const request& asked, protocol::resource of, policy::identity who) const
{
    const std::string user = user_of(who, asked);
    if (of == protocol::resource::sse && !is_offered(offered_, "sse", user)) {
        return refuse({error_code::not_offered, ""});
    }
    auto read = protocol::parse_url_request(asked.query, of);
    if (!read) {
        return refuse(read.error());
    }
    if (of == protocol::resource::sse && !asked.last_event_id.empty()) {
        // What the browser adds on a reconnect is newer than what the page wrote into the URL at first.
        read->after = asked.last_event_id;
    }
    if (read->wishes.size() > settings_.limits.subscriptions_per_session) {
        return refuse({error_code::too_many_subscriptions,
                       "a session may have " + std::to_string(settings_.limits.subscriptions_per_session) + " subscriptions"});
    }
    subscription_request out{std::move(who), user, asked.from, std::move(*read), {}};
    load_first missing;
    for (const protocol::wish& wish : out.asked.wishes) {
        auto wanted = authorize(wish, out.who, with_);
        if (auto* sets = std::get_if<missing_sets>(&wanted)) {
            missing.sets.insert(missing.sets.end(), sets->begin(), sets->end());
            continue;
        }
        if (const auto* refused = std::get_if<failure>(&wanted)) {
            failure why = *refused;
            if (out.asked.named) {
                why.message = core::excerpt(wish.id) + ": " +
                              (why.message.empty() ? std::string(core::describe(why.code).sentence) : why.message);
            }
            return refuse(why);
        }
        out.wanted.push_back(std::move(std::get<hub::feed::request>(wanted)));
    }
    if (!missing.sets.empty()) {
        return missing;
    }
    if (of == protocol::resource::sse) {
        return open_stream{std::move(out)};
    }
    if (of == protocol::resource::rows) {
        return open_rows{std::move(out)};
    }
    return open_poll{std::move(out)};
}

answer router::session(const request& asked) const
{
    auto who = identify(asked, with_);
    if (!who) {
        return refuse(who.error());
    }
    const std::string user = user_of(*who, asked);
    std::vector<std::string> transports;
    if (is_offered(offered_, "websocket", user)) {
        transports.emplace_back("websocket");
    }
    if (is_offered(offered_, "sse", user)) {
        transports.emplace_back("sse");
    }
    transports.emplace_back("poll");
    answer out;
    out.body = R"({"roles":)" + join(who->roles) + R"(,"transports":)" + join(transports) + R"(,"heartbeat":)" +
               std::to_string(std::max<long long>(1, std::chrono::duration_cast<std::chrono::seconds>(settings_.heartbeat).count()));
    if (who->expires) {
        out.body += R"(,"expires":)" + std::to_string(*who->expires);
    }
    out.body += '}';
    return out;
}

std::vector<std::string> lost(const subscription_request& of, const services& with)
{
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < of.wanted.size(); ++i) {
        if (!still_has(of.wanted[i].view.rights(), authorize(of.asked.wishes[i], of.who, with))) {
            ids.push_back(of.wanted[i].id);
        }
    }
    return ids;
}

std::optional<answer> find_state(std::string_view path, const services& with)
{
    if (path == "/healthz") {
        return answer{200, "application/json", R"({"status":"ok"})", {}};
    }
    if (path != "/readyz") {
        return std::nullopt;
    }
    const std::vector<std::string> reasons = with.not_ready ? with.not_ready() : std::vector<std::string>();
    answer out;
    out.status = reasons.empty() ? 200 : 503;
    out.body = reasons.empty() ? R"({"ready":true})" : R"({"ready":false,"reasons":)" + join(reasons) + "}";
    return out;
}

} // namespace rowcast::net
