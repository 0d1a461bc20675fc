#include "net/origin.hpp"

#include <unistd.h>

#include <algorithm>

namespace rowcast::net {
namespace {

// Scheme and host have no case, and browsers write both in lower case.
std::string lower(std::string_view text)
{
    std::string out(text);
    for (char& c : out) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    }
    return out;
}

} // namespace

bool may_talk(const request& from, const std::vector<std::string>& origins)
{
    if (from.origin.empty()) {
        return true;
    }
    const std::string origin = lower(from.origin);
    const auto allowed = [&](const std::string& each) { return each == "*" || lower(each) == origin; };
    if (std::any_of(origins.begin(), origins.end(), allowed)) {
        return true;
    }
    // Our own pages. The scheme cannot be compared: a proxy may speak TLS for us.
    const std::size_t authority = origin.find("://");
    return authority != std::string::npos && !from.host.empty() && origin.substr(authority + 3) == lower(from.host);
}

bool is_own_name(std::string_view host, const std::vector<std::string>& others)
{
    std::string name = lower(host);
    if (name.starts_with('[')) {
        name = name.substr(1, name.find(']') - 1);
    } else {
        name.resize(std::min(name.find(':'), name.size()));
    }
    char machine[256] = {};
    ::gethostname(machine, sizeof machine - 1);
    return core::address::parse(name) || name.find('.') == std::string::npos || name.ends_with(".localhost") || name == lower(machine) ||
           std::find(others.begin(), others.end(), name) != others.end();
}

bool is_foreign(const request& from)
{
    return !from.fetch_site.empty() && from.fetch_site != "same-origin" && from.fetch_site != "none";
}

void add_cors_headers(answer& to, const request& from)
{
    to.headers.emplace_back("Vary", "Origin");
    if (!from.origin.empty()) {
        to.headers.emplace_back("Access-Control-Allow-Origin", from.origin);
        to.headers.emplace_back("Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate");
    }
}

answer preflight(const request& from)
{
    answer out;
    out.status = 204;
    out.headers.emplace_back("Allow", "GET, HEAD, OPTIONS");
    add_cors_headers(out, from);
    if (!from.asked_method.empty()) {
        out.headers.emplace_back("Access-Control-Allow-Methods", "GET, HEAD");
        out.headers.emplace_back("Access-Control-Allow-Headers", "Authorization, Cache-Control, Last-Event-ID");
        out.headers.emplace_back("Access-Control-Max-Age", "600");
    }
    return out;
}

} // namespace rowcast::net
