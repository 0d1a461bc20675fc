#include "net/answer.hpp"

#include <array>
#include <charconv>
#include <ctime>

#include "core/version.hpp"
#include "protocol/problem.hpp"

namespace rowcast::net {
namespace {

std::string_view reason(unsigned status)
{
    switch (status) {
    case 200: return "OK";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 413: return "Content Too Large";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    default: return "Unknown";
    }
}

// RFC 9110 section 5.6.7; the locale of this program is never changed from "C".
std::string date()
{
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::array<char, 40> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

void line(std::string& out, std::string_view name, std::string_view value)
{
    out.append(name).append(": ").append(value).append("\r\n");
}

} // namespace

answer refuse(const core::failure& why)
{
    answer out;
    out.status = core::describe(why.code).http_status;
    out.code = core::to_string(why.code);
    out.content_type = protocol::problem_content_type;
    out.body = protocol::problem(why);
    if (out.status == 401) {
        const bool missing = why.code == core::error_code::token_missing;
        out.headers.emplace_back("WWW-Authenticate",
                                 missing ? R"(Bearer realm="rowcast")" : R"(Bearer realm="rowcast", error="invalid_token")");
    }
    if (out.status == 429 || out.status == 503) {
        out.headers.emplace_back("Retry-After", "5");
    }
    return out;
}

std::string to_http(const answer& what, const framing& how)
{
    std::string out = "HTTP/1.1 " + std::to_string(what.status) + " " + std::string(reason(what.status)) + "\r\n";
    line(out, "Date", date());
    line(out, "Server", "rowcast/" + std::string(core::version()));
    line(out, "X-Content-Type-Options", "nosniff");
    line(out, "X-Frame-Options", "DENY");
    line(out, "Referrer-Policy", "no-referrer");
    if (how.hsts.count() > 0) {
        line(out, "Strict-Transport-Security", "max-age=" + std::to_string(how.hsts.count()));
    }
    bool caching_said = false;
    bool policy_said = false;
    for (const auto& [name, value] : what.headers) {
        line(out, name, value);
        caching_said = caching_said || name == "Cache-Control";
        policy_said = policy_said || name == "Content-Security-Policy";
    }
    if (!policy_said) {
        line(out, "Content-Security-Policy", "frame-ancestors 'none'");
    }
    if (!caching_said) {
        line(out, "Cache-Control", "no-store");
    }
    if (what.status != 204) {
        line(out, "Content-Type", what.content_type);
    }
    if (how.streamed && how.http_1_1) {
        line(out, "Transfer-Encoding", "chunked");
    } else if (!how.streamed && what.status != 204) {
        line(out, "Content-Length", std::to_string(what.body.size()));
    }
    if (!how.keep_alive) {
        line(out, "Connection", "close");
    } else if (!how.http_1_1) {
        line(out, "Connection", "keep-alive");
    }
    out += "\r\n";
    if (!how.head_only && !how.streamed) {
        out += what.body;
    }
    return out;
}

std::string chunk(std::string_view text)
{
    std::array<char, 16> size{};
    const auto end = std::to_chars(size.data(), size.data() + size.size(), text.size(), 16).ptr;
    std::string out(size.data(), end);
    out.append("\r\n").append(text).append("\r\n");
    return out;
}

} // namespace rowcast::net
