#include "cli/demo/site.hpp"

#include "auth/authenticator.hpp"
#include "cli/demo/page_files.hpp"
#include "cli/token_claims.hpp"
#include "config/load.hpp"
#include "core/version.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <random>
#include <stdexcept>

namespace rowcast::cli::demo {

namespace {

using json = nlohmann::ordered_json;

constexpr std::chrono::hours token_lifetime{24 * 30};

std::string random_secret()
{
    std::random_device random;
    std::string secret;
    for (int i = 0; i < 64; ++i) {
        secret += "0123456789abcdef"[random() % 16];
    }
    return secret;
}

std::string_view content_of(std::string_view name)
{
    for (const core::embedded_file& each : page_files) {
        if (each.name == name) {
            return each.text;
        }
    }
    throw std::logic_error("the demo's page has no " + std::string(name));
}

std::string_view content_type_of(std::string_view name)
{
    constexpr std::array<std::pair<std::string_view, std::string_view>, 5> types{
        {{".html", "text/html; charset=utf-8"},
         {".css", "text/css; charset=utf-8"},
         {".js", "text/javascript; charset=utf-8"},
         {".svg", "image/svg+xml"},
         {".yaml", "text/plain; charset=utf-8"}}};
    for (const auto& [ending, type] : types) {
        if (name.ends_with(ending)) {
            return type;
        }
    }
    return "application/octet-stream";
}

std::string token_for(const config::auth& keys, token_wish wish)
{
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
    return auth::issue(claims_for(wish, keys, now, token_lifetime).value(), keys.jwt.front());
}

json tiles(const char* table, const char* key, const char* value, const char* label, const char* note,
           bool large = false)
{
    return {{"view", "tiles"}, {"table", table}, {"key", key},    {"value", value},
            {"label", label},  {"note", note},   {"large", large}};
}

json latest(const char* table, const char* key, std::vector<std::string> columns, std::vector<std::string> hidden,
            int rows, const char* note)
{
    return {{"view", "latest"}, {"table", table},    {"key", key},      {"columns", columns}, {"hidden", hidden},
            {"rows", rows},     {"signed", "delta"}, {"time", "mtime"}, {"note", note}};
}

json teller(const config::auth& keys)
{
    return {{"role", "teller"},
            {"name", "Tess"},
            {"title", "teller; her token says branch: 1"},
            {"token", token_for(keys, {"tess", {"teller"}, {"branch=1"}})},
            {"tables",
             {tiles("public.pgbench_tellers", "tid", "tbalance", "teller", "of her branch only"),
              latest("public.pgbench_accounts", "aid", {"aid", "bid", "abalance", "filler"}, {"filler"}, 6,
                     "latest changes"),
              latest("public.pgbench_history", "id", {"mtime", "tid", "bid", "aid", "delta"}, {}, 6, "latest rows")}}};
}

json auditor(const config::auth& keys)
{
    return {{"role", "auditor"},
            {"name", "Aron"},
            {"title", "auditor; his token names no branch"},
            {"token", token_for(keys, {"aron", {"auditor"}, {}})},
            {"tables",
             {tiles("public.pgbench_branches", "bid", "bbalance", "branch", "every branch", true),
              tiles("public.pgbench_tellers", "tid", "tbalance", "teller", "every teller"),
              latest("public.pgbench_history", "id", {"mtime", "tid", "bid", "aid", "delta"}, {"aid"}, 6,
                     "latest rows, no account")}}};
}

json suggestions()
{
    return {{{"sql", "update pgbench_tellers set tbalance = 1000000 where tid = 1;"}, {"says", "both see it"}},
            {{"sql", "update pgbench_tellers set tbalance = 1000000 where tid = 11;"},
             {"says", "branch 2: only the auditor sees it"}},
            {{"sql", "update pgbench_tellers set bid = 2 where tid = 3;"},
             {"says", "leaves Tess's view: to her it is a DELETE"}},
            {{"sql", "begin; update pgbench_branches set bbalance = 0; rollback;"},
             {"says", "nobody sees what is not committed"}}};
}

} // namespace

config::configuration make_configuration(const std::string& database_url, std::uint16_t port)
{
    const auto nothing_set = [](const std::string&) -> std::optional<std::string> { return std::nullopt; };
    auto loaded = config::parse(std::string(content_of("rules.yaml")), nothing_set);
    if (const auto* problems = std::get_if<std::vector<config::problem>>(&loaded)) {
        throw std::logic_error(config::to_string(problems->at(0), "rules.yaml"));
    }
    auto settings = std::get<config::configuration>(std::move(loaded));
    settings.database.url = database_url;
    settings.server.listen.front().at.port = port;
    settings.server.admin = config::listener{{"127.0.0.1", 0}};
    settings.server.limits.sessions = 500; // the usual limit is more than many a machine has file descriptors for, which is a warning
    settings.auth.anonymous = false;
    settings.auth.jwt = {
        {.algorithm = "HS256", .secret = random_secret(), .public_key = {}, .jwks = {}, .issuer = {}, .audience = {}, .at = {}}};
    return settings;
}

site::site(const config::auth& keys, std::string psql_line)
{
    about_ = json{{"version", core::version()},
                  {"psql", std::move(psql_line)},
                  {"users", {teller(keys), auditor(keys)}},
                  {"suggestions", suggestions()}}
                 .dump();
}

std::optional<net::page> site::find(std::string_view path) const
{
    if (path == "/demo.json") {
        return net::page{"application/json", about_};
    }
    const std::string_view name = path == "/" ? "index.html" : path.substr(std::min<std::size_t>(1, path.size()));
    for (const core::embedded_file& each : page_files) {
        if (each.name == name) {
            return net::page{std::string(content_type_of(name)), std::string(each.text)};
        }
    }
    return std::nullopt;
}

} // namespace rowcast::cli::demo
