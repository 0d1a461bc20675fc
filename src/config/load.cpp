#include "config/load.hpp"

#include "config/expectations_reader.hpp"
#include "config/jwt.hpp"
#include "config/rules_reader.hpp"
#include "config/section.hpp"
#include "config/yaml.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <set>

namespace rowcast::config {
namespace {

using namespace std::chrono_literals;
using problems = std::vector<problem>;

constexpr std::uint64_t kilobyte = 1024;
constexpr std::uint64_t megabyte = 1024 * kilobyte;
constexpr std::uint64_t gigabyte = 1024 * megabyte;

constexpr std::size_t least_different_bytes = 5;
constexpr std::size_t least_admin_token = 16;
constexpr std::size_t longest_channel = 63; // NOTIFY's: PostgreSQL's NAMEDATALEN - 1

void read_database(section from, database& into)
{
    from.text("url", into.url);
    from.duration("poll_interval", into.poll_interval, 10ms, 1h);
    section retention = from.inner("retention");
    retention.duration("age", into.keep.age, 1s, 24h * 3650);
    retention.size("size", into.keep.size, megabyte);
    retention.finish();
    section rows = from.inner("rows");
    rows.text("url", into.rows.url);
    rows.number("concurrent", into.rows.concurrent, 1, 100);
    rows.number("queue", into.rows.queue, 0, 100'000);
    rows.duration("wait", into.rows.wait, 100ms, 10min);
    rows.duration("timeout", into.rows.timeout, 1s, 1h);
    rows.number("limit", into.rows.limit, 1, 100'000'000);
    rows.finish();
    const core::value* channels = from.raw("notify_channels");
    from.texts("notify_channels", into.notify_channels);
    for (const std::string& channel : into.notify_channels) {
        if (channel.size() > longest_channel) {
            from.complain(*channels, "notify_channels",
                          "has a name longer than 63 bytes, which PostgreSQL cuts: '" + channel + "'");
        }
    }
    from.finish();
}

void read_limits(section from, limits& into)
{
    from.number("sessions", into.sessions, 1, 10'000'000);
    from.number("sessions_per_user", into.sessions_per_user, 1, 10'000'000);
    from.number("sessions_per_address", into.sessions_per_address, 1, 10'000'000);
    from.number("subscriptions_per_session", into.subscriptions_per_session, 1, 100'000);
    from.size("message_size", into.message_size, kilobyte, 16 * megabyte);
    from.number("messages_per_second", into.messages_per_second, 1, 100'000);
    from.number("connects_per_second_per_address", into.connects_per_second_per_address, 1, 100'000);
    from.size("send_buffer", into.send_buffer, 16 * kilobyte, gigabyte);
    from.finish();
}

void read_tls(section from, std::optional<tls>& into)
{
    if (!from.present()) {
        return;
    }
    tls read;
    from.text("certificate", read.certificate);
    from.text("key", read.key);
    from.duration("hsts", read.hsts, 0ms, 24h * 3650);
    const core::value here{nullptr, from.at()};
    if (read.certificate.empty()) {
        from.complain(here, "certificate", "is missing: the path of a PEM file with the certificate and its chain");
    }
    if (read.key.empty()) {
        from.complain(here, "key", "is missing: the path of a PEM file with the private key");
    }
    from.finish();
    into = std::move(read);
}

// scheme://host[:port], as browsers send it: lower case, no path.
bool is_origin(std::string_view text)
{
    const std::size_t slashes = text.find("://");
    if (slashes == std::string_view::npos || slashes == 0) {
        return false;
    }
    const std::string_view host = text.substr(slashes + 3);
    const auto upper_or_blank = [](char c) { return (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) <= ' '; };
    return !host.empty() && host.find_first_of("/?#@*") == std::string_view::npos &&
           std::none_of(text.begin(), text.end(), upper_or_blank);
}

// As a URL's host is compared: lower case, no port.
bool is_host_name(std::string_view text)
{
    return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") == std::string_view::npos &&
           !text.starts_with('.') && !text.ends_with('.') && text.find("..") == std::string_view::npos;
}

void read_proxies(section& from, trusted_proxies& into)
{
    const core::value* given = from.raw("trusted_proxies");
    std::vector<std::string> texts;
    from.texts("trusted_proxies", texts);
    for (const std::string& text : texts) {
        const auto read = core::network::parse(text);
        if (text == "unix") {
            into.unix_sockets = true;
        } else if (!read) {
            from.complain(*given, "trusted_proxies", "takes addresses, networks like 10.0.0.0/8, and the word unix, not '" + text + "'");
        } else if (read->is_everything()) {
            from.complain(*given, "trusted_proxies", "has '" + text + "': then anybody could say to be anybody; name your proxies");
        } else if (!read->is_exact()) {
            from.complain(*given, "trusted_proxies", "has '" + text + "', which is one address of " + read->to_string() + "; say which of both is meant");
        } else {
            into.networks.push_back(*read);
        }
    }
}

// What hangs together of several keys.
void check_listeners(section& from, server& of)
{
    bool proxy_protocol = false;
    from.flag("proxy_protocol", proxy_protocol);
    for (listener& each : of.listen) {
        each.proxy_protocol = each.proxy_protocol || proxy_protocol;
        if (each.proxy_protocol && of.proxies.networks.empty() && !of.proxies.unix_sockets) {
            from.complain({nullptr, from.at()}, "proxy_protocol", "lets nobody in as long as trusted_proxies names no proxy, which alone may speak it");
            return;
        }
    }
}

void read_server(section from, server& into)
{
    from.listen_on("listen", into.listen);
    from.listen_on("admin", into.admin);
    read_proxies(from, into.proxies);
    check_listeners(from, into);
    from.text("admin_token", into.admin_token);
    if (!into.admin_token.empty() && into.admin_token.size() < least_admin_token) {
        from.complain(*from.raw("admin_token"), "admin_token", "needs at least 16 bytes; `openssl rand -base64 24` makes one");
    }
    from.texts("admin_hosts", into.admin_hosts);
    for (const std::string& host : into.admin_hosts) {
        if (!is_host_name(host)) {
            from.complain(*from.raw("admin_hosts"), "admin_hosts", "takes names in small letters and without a port, like admin.example.com, not '" + host + "'");
        }
    }
    read_tls(from.inner("tls"), into.certificate);
    const core::value* origins = from.raw("origins");
    from.texts("origins", into.origins);
    for (const std::string& origin : into.origins) {
        if (!is_origin(origin)) {
            from.complain(*origins, "origins",
                          "takes origins as browsers send them, like https://app.example.com, not '" + origin + "'");
        }
    }
    from.duration("heartbeat", into.heartbeat, 1s, 5min);
    read_limits(from.inner("limits"), into.limits);
    from.finish();
}

void check_secret(section& from, const core::value* given, const jwt_key& key)
{
    const core::value here = given ? *given : core::value{nullptr, from.at()};
    const std::size_t least = least_secret(key.algorithm);
    if (key.secret.empty()) {
        from.complain(here, "secret", given ? "is empty; anyone could sign tokens" : "is missing, and " + key.algorithm + " needs one");
    } else if (key.secret.size() < least) {
        from.complain(here, "secret",
                      "has " + std::to_string(key.secret.size()) + " bytes, and " + key.algorithm + " needs at least " +
                          std::to_string(least) + " (RFC 7518 section 3.2); `openssl rand -base64 " + std::to_string(least) + "` makes one");
    } else if (std::set<char>(key.secret.begin(), key.secret.end()).size() < least_different_bytes) {
        from.complain(here, "secret", "repeats the same few characters; `openssl rand -base64 32` makes one");
    }
}

// A key that the algorithm says all about: a secret or a file with a public key.
void read_single_key(section& from, jwt_key& key)
{
    const core::value* algorithm = from.raw("algorithm");
    const core::value* secret = from.raw("secret");
    const core::value* file = from.raw("public_key");
    const auto known = jwt_algorithms();
    const bool is_known = std::find(known.begin(), known.end(), key.algorithm) != known.end();
    if (!algorithm) {
        from.complain({nullptr, key.at}, "algorithm", "is missing, HS256 for instance; or give `jwks`, a file or URL with keys");
    } else if (!is_known) {
        from.choice("algorithm", key.algorithm, known);
    } else if (is_symmetric(key.algorithm)) {
        check_secret(from, secret, key);
        if (file) {
            from.complain(*file, "public_key", "does not go with " + key.algorithm + ", which has a secret");
        }
    } else if (secret) {
        from.complain(*secret, "secret", "does not go with " + key.algorithm + "; give `public_key`, a file in PEM");
    } else if (key.public_key.empty()) {
        from.complain({nullptr, key.at}, "public_key", "is missing: a file in PEM with the public key for " + key.algorithm);
    }
}

void read_key_set(section& from, const core::value& jwks, jwt_key& key)
{
    for (const char* const other : {"algorithm", "secret", "public_key"}) {
        if (const core::value* given = from.raw(other)) {
            from.complain(*given, other, "does not go with jwks, whose keys say themselves what they are for");
        }
    }
    std::string where;
    from.text("jwks", where);
    if (where.empty()) {
        from.complain(jwks, "jwks", "takes a file or a URL");
    } else if (is_url(where) && !is_safe_url(where)) {
        from.complain(jwks, "jwks", "takes https:// (http only from this machine): on the way, anybody could replace the keys");
    }
    key.jwks = std::move(where);
}

void read_jwt(section from, std::vector<jwt_key>& into)
{
    jwt_key key;
    key.at = from.at();
    std::string issuer;
    std::string audience;
    std::string roles_claim;
    from.text("algorithm", key.algorithm);
    from.text("secret", key.secret);
    from.text("public_key", key.public_key);
    from.text("issuer", issuer);
    from.text("audience", audience);
    from.text("roles_claim", roles_claim);
    if (const core::value* jwks = from.raw("jwks")) {
        read_key_set(from, *jwks, key);
    } else {
        read_single_key(from, key);
    }
    from.finish();
    key.issuer = issuer.empty() ? std::nullopt : std::optional(issuer);
    key.audience = audience.empty() ? std::nullopt : std::optional(audience);
    key.roles_claim = roles_claim.empty() ? std::nullopt : std::optional(roles_claim);
    into.push_back(std::move(key));
}

void read_auth(section from, auth& into)
{
    from.each("jwt", [&](section key) { read_jwt(std::move(key), into.jwt); });
    from.text("roles_claim", into.roles_claim);
    from.duration("leeway", into.leeway, 0ms, 10min);
    from.duration("grace", into.grace, 0ms, 1h);
    from.duration("longest_token", into.longest_token, 1min, 24h * 3650);
    from.flag("anonymous", into.anonymous);
    if (!into.anonymous && into.jwt.empty()) {
        from.complain(*from.raw("anonymous"), "anonymous",
                      "is false and auth.jwt names no key, so nobody could ever connect");
    }
    from.finish();
}

void take_users(section& from, std::string_view key, std::vector<std::string> users, rollout::users& into)
{
    if (users.size() > rollout::most_users) {
        from.complain(*from.raw(key), key, "takes " + std::to_string(rollout::most_users) + " users at most; percentages are for more");
        return;
    }
    into = {std::make_move_iterator(users.begin()), std::make_move_iterator(users.end())};
}

void read_rollout(section from, rollout& into)
{
    from.number("websocket", into.websocket, 0, 100);
    from.number("sse", into.sse, 0, 100);
    from.flag("force_polling", into.force_polling);
    std::vector<std::string> opt_in;
    std::vector<std::string> opt_out;
    from.texts("opt_in", opt_in);
    from.texts("opt_out", opt_out);
    take_users(from, "opt_in", std::move(opt_in), into.opt_in);
    take_users(from, "opt_out", std::move(opt_out), into.opt_out);
    from.finish();
}

void read_file(section file, configuration& into, problems& found)
{
    read_database(file.inner("database"), into.database);
    read_server(file.inner("server"), into.server);
    read_auth(file.inner("auth"), into.auth);
    read_rollout(file.inner("rollout"), into.rollout);
    section log = file.inner("log");
    log.choice("level", into.log.level, std::array<std::string_view, 6>{"trace", "debug", "info", "warn", "error", "off"});
    log.choice("format", into.log.format, std::array<std::string_view, 2>{"text", "json"});
    log.finish();
    into.rules = read_rules(file, found);
    into.expectations = read_expectations(file);
    file.finish();
}

} // namespace

loaded parse(const std::string& text, const environment& names)
{
    problems found;
    const core::value tree = read_yaml(text, names, found);
    configuration read;
    read_file(section(&tree, "", found), read, found);
    if (!found.empty()) {
        sort_by_place(found);
        return found;
    }
    if (read.database.url.empty()) {
        read.database.url = names("DATABASE_URL").value_or("");
    }
    return read;
}

loaded load(const std::string& path, const environment& names)
{
    std::ifstream file(path, std::ios::binary);
    std::string text;
    if (file) {
        text.resize(largest_file + 1);
        file.read(text.data(), static_cast<std::streamsize>(text.size()));
        text.resize(static_cast<std::size_t>(file.gcount()));
    }
    if (!file.is_open() || file.bad() || (!file && !file.eof())) {
        return problems{{{}, "cannot be read; name another file with --config"}};
    }
    if (text.size() > largest_file) {
        return problems{{{}, "is larger than 1MB; this cannot be a configuration"}};
    }
    return parse(text, names);
}

} // namespace rowcast::config
