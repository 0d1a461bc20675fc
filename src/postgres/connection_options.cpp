#include "postgres/connection_options.hpp"

#include "postgres/database_error.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <cstdint>
#include <memory>

namespace rowcast::postgres {
namespace {

using std::chrono::milliseconds;

// The server gives up a little earlier than we do, so that the connection survives its own slowness.
constexpr milliseconds servers_lead{2000};

using keywords = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

// libpq quotes what it cannot read, and that may be the password.
keywords read(const std::string& url)
{
    char* words = nullptr;
    keywords found(PQconninfoParse(url.c_str(), &words), &PQconninfoFree);
    const std::unique_ptr<char, decltype(&PQfreemem)> owned(words, &PQfreemem);
    if (!found) {
        std::string text = words ? words : "out of memory";
        const auto first = text.find('"');
        text = text.substr(0, std::min(first, text.find('\n'))) +
               (first == std::string::npos ? "" : "(not shown: it may hold the password)");
        throw connection_lost("the database URL cannot be read: " + text +
                                  "\nIt should look like postgresql://user:password@host:5432/database",
                              "", "Write the URL as postgresql://user:password@host:5432/database");
    }
    return found;
}

std::string value(const keywords& all, std::string_view keyword)
{
    for (const auto* each = all.get(); each && each->keyword; ++each) {
        if (each->keyword == keyword) {
            return each->val ? each->val : "";
        }
    }
    return {};
}

// As libpq's manual has it ("Keyword/Value Connection Strings").
void add(std::string& text, std::string_view keyword, std::string_view value)
{
    text += keyword;
    text += "='";
    for (const char c : value) {
        if (c == '\'' || c == '\\') {
            text += '\\';
        }
        text += c;
    }
    text += "' ";
}

} // namespace

// Of a keyword that comes twice the later one holds.
std::string conninfo(const connection_options& options)
{
    const auto patience = std::chrono::ceil<std::chrono::seconds>(options.connect_timeout).count();
    std::string text;
    add(text, "fallback_application_name", options.purpose);
    add(text, "connect_timeout",
        std::to_string(std::max<std::int64_t>(patience, 2))); // libpq takes 1 for 2, 0 for ever
    add(text, "keepalives", "1");
    add(text, "keepalives_idle", "10");
    add(text, "keepalives_interval", "5");
    add(text, "keepalives_count", "3");
    add(text, "tcp_user_timeout", "15000");
    const keywords given = read(options.url);
    for (const auto* each = given.get(); each->keyword; ++each) {
        if (each->val) {
            add(text, each->keyword, each->val);
        }
    }
    add(text, "client_encoding", "UTF8");
    return text;
}

// By SET, not by the startup packet's `options`, which poolers refuse. No name is ever looked up by search_path. What takes
// long, and what waits, is bounded on this side: limits that are meant for applications would end it in its middle.
std::string session_settings(const connection_options& options)
{
    const auto on_server = std::max(options.statement_timeout - servers_lead, options.statement_timeout / 2);
    return "set search_path = pg_catalog; set timezone = 'UTC'; set datestyle = 'ISO, YMD'; "
           "set intervalstyle = 'postgres'; set bytea_output = 'hex'; set extra_float_digits = 1; "
           "set jit = off; set statement_timeout = " +
           std::to_string(on_server.count()) +
           "; set default_transaction_read_only = " + (options.read_only ? "on" : "off") +
           "; set idle_in_transaction_session_timeout = 0; "
           "select set_config(name, '0', false) " // since PostgreSQL 14 and 17
           "from unnest('{idle_session_timeout,transaction_timeout}'::text[]) name "
           "where current_setting(name, true) is not null";
}

std::string place_text(std::string_view host, std::string_view port, std::string_view database, std::string_view user)
{
    if (host.empty() && database.empty()) {
        return "the database"; // the URL could not even be read
    }
    return std::string(host) + ":" + std::string(port) + "/" + std::string(database) + " as user " + std::string(user);
}

std::string place_of(const std::string& url)
{
    const keywords given = read(url);
    const keywords defaults(PQconndefaults(), &PQconninfoFree);
    const auto either = [&](std::string_view keyword) {
        const std::string said = value(given, keyword);
        return said.empty() ? value(defaults, keyword) : said;
    };
    const std::string user = either("user");
    const std::string database = either("dbname");
    const std::string address = either("hostaddr");
    const std::string host = either("host");
    return place_text(!host.empty()      ? host
                      : !address.empty() ? address
                                         : "(socket)",
                      either("port"), database.empty() ? user : database, user);
}

} // namespace rowcast::postgres
