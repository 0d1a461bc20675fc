#include "postgres/connection.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

namespace rowcast::postgres {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t most_notices = 100;
// The server gives up a little earlier than we do, so that the connection survives its own slowness.
constexpr milliseconds servers_lead{2000};

std::string trimmed(std::string_view text)
{
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
        text.remove_suffix(1);
    }
    return std::string(text);
}

std::string one_line(std::string text)
{
    text = trimmed(text);
    std::replace(text.begin(), text.end(), '\n', ' ');
    std::replace(text.begin(), text.end(), '\t', ' ');
    return text;
}

void add_sentence(std::string& text, std::string_view label, std::string_view sentence)
{
    if (!sentence.empty()) {
        text += "\n";
        text += label;
        text += sentence;
    }
}

std::string field(const pg_result* result, int code)
{
    const char* value = PQresultErrorField(result, code);
    return value ? value : "";
}

extern "C" void keep_notice(void* into, const PGresult* notice)
{
    auto& notices = *static_cast<std::vector<std::string>*>(into);
    if (notices.size() < most_notices) {
        std::string text = field(notice, PG_DIAG_SEVERITY) + ": " + field(notice, PG_DIAG_MESSAGE_PRIMARY);
        add_sentence(text, "  detail: ", field(notice, PG_DIAG_MESSAGE_DETAIL));
        add_sentence(text, "  hint: ", field(notice, PG_DIAG_MESSAGE_HINT));
        notices.push_back(std::move(text));
    }
}

std::vector<const char*> pointers(const std::vector<parameter>& parameters)
{
    std::vector<const char*> texts;
    for (const parameter& each : parameters) {
        texts.push_back(each ? each->c_str() : nullptr);
    }
    return texts;
}

std::string option(pg_conn* pg, std::string_view keyword)
{
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> all(PQconninfo(pg), &PQconninfoFree);
    for (const auto* each = all.get(); each && each->keyword; ++each) {
        if (each->keyword == keyword) {
            return each->val ? each->val : "";
        }
    }
    return {};
}

std::string or_empty(const char* text)
{
    return text ? text : "";
}

// libpq quotes what it cannot read, and that may be the password.
void check_url(const std::string& url)
{
    char* words = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> read(PQconninfoParse(url.c_str(), &words),
                                                                            &PQconninfoFree);
    const std::unique_ptr<char, decltype(&PQfreemem)> owned(words, &PQfreemem);
    if (!read) {
        std::string text = words ? trimmed(words) : "out of memory";
        const auto first = text.find('"');
        text = text.substr(0, first) + (first == std::string::npos ? "" : "(not shown: it may hold the password)");
        throw connection_lost("the database URL cannot be read: " + text +
                                  "\nIt should look like postgresql://user:password@host:5432/database",
                              "", "Write the URL as postgresql://user:password@host:5432/database");
    }
}

} // namespace

connection::connection(const connection_options& options, const event* stop)
    : stop_(stop)
    , limit_(options.connect_timeout)
{
    try {
        open(options);
        set_up(options);
    } catch (...) {
        PQfinish(pg_);
        throw;
    }
}

connection::~connection()
{
    PQfinish(pg_);
}

// What stands before `dbname` holds where the URL says nothing else; what stands behind it holds.
void connection::open(const connection_options& options)
{
    check_url(options.url);
    constexpr std::array keywords = {"fallback_application_name",
                                     "keepalives",
                                     "keepalives_idle",
                                     "keepalives_interval",
                                     "keepalives_count",
                                     "tcp_user_timeout",
                                     "dbname",
                                     "client_encoding",
                                     static_cast<const char*>(nullptr)};
    const std::array values = {
        options.purpose.c_str(),          "1", "10", "5", "3", "15000", options.url.c_str(), "UTF8",
        static_cast<const char*>(nullptr)};
    pg_ = PQconnectStartParams(keywords.data(), values.data(), 1);
    if (pg_ == nullptr) {
        throw std::bad_alloc();
    }
    PQsetNoticeReceiver(pg_, keep_notice, &notices_);

    const std::string hosts = option(pg_, "host");
    const auto until = clock::now() + options.connect_timeout * (1 + std::count(hosts.begin(), hosts.end(), ','));
    PostgresPollingStatusType state = PQstatus(pg_) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED) {
            const std::string words = trimmed(PQerrorMessage(pg_));
            std::string text = "cannot connect to " + place() + ": " + words;
            add_sentence(text, "", connect_advice(words));
            throw connection_lost(text, "", connect_advice(words));
        }
        if (!await(state == PGRES_POLLING_READING ? POLLIN : POLLOUT, until)) {
            lost("it does not answer");
        }
        state = PQconnectPoll(pg_);
    }
    if (PQsetnonblocking(pg_, 1) != 0) {
        lost(trimmed(PQerrorMessage(pg_)));
    }
}

// By SET, not by the startup packet's `options`, which poolers refuse. No name is ever looked up by search_path.
void connection::set_up(const connection_options& options)
{
    if (server_version() < 130000) {
        throw database_error(place() + " runs PostgreSQL " + server_version_text() + "; rowcast needs 13 or later", "",
                             "");
    }
    const auto on_server = std::max(options.statement_timeout - servers_lead, options.statement_timeout / 2);
    run_script("set search_path = pg_catalog; set timezone = 'UTC'; set datestyle = 'ISO, YMD'; "
               "set intervalstyle = 'postgres'; set bytea_output = 'hex'; set extra_float_digits = 1; "
               "set jit = off; set statement_timeout = " +
               std::to_string(on_server.count()) +
               "; set default_transaction_read_only = " + (options.read_only ? "on" : "off"));
    backend_ = static_cast<int>(execute("select pg_backend_pid()").number(0, 0));
    limit_ = options.statement_timeout;
}

bool connection::await(short events, clock::time_point until, const event* wake)
{
    for (;;) {
        std::array<pollfd, 3> look = {{{PQsocket(pg_), events, 0}, {-1, POLLIN, 0}, {-1, POLLIN, 0}}};
        if (stop_) {
            look[1].fd = stop_->descriptor(); // poll(2) skips -1
        }
        if (wake) {
            look[2].fd = wake->descriptor();
        }
        const auto left = std::chrono::ceil<milliseconds>(until - clock::now());
        const int ready =
            ::poll(look.data(), look.size(), static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000)));
        if (ready < 0 && errno != EINTR) {
            throw std::system_error(errno, std::generic_category(), "poll");
        }
        if (ready > 0 && look[1].revents != 0) {
            throw interrupted();
        }
        if (ready > 0) {
            return true;
        }
        if (ready == 0 && clock::now() >= until) {
            return false;
        }
    }
}

void connection::send(int accepted, bool one_by_one)
{
    if (accepted != 1) {
        lost(trimmed(PQerrorMessage(pg_)));
    }
    if (one_by_one && PQsetSingleRowMode(pg_) != 1) {
        lost("libpq refused to give rows one by one");
    }
    busy_ = true;
    const auto until = deadline();
    for (;;) {
        const int more = PQflush(pg_);
        if (more == 0) {
            return;
        }
        if (more < 0 || !await(POLLIN | POLLOUT, until)) {
            lost(more < 0 ? trimmed(PQerrorMessage(pg_)) : "it takes no statement");
        }
        // The server may want to be read before it reads on (libpq manual, PQflush).
        if (PQconsumeInput(pg_) != 1) {
            lost(trimmed(PQerrorMessage(pg_)));
        }
    }
}

pg_result* connection::any_result()
{
    const auto until = deadline();
    while (PQisBusy(pg_)) {
        if (!await(POLLIN, until)) {
            lost("it did not answer within " + std::to_string(limit_.count()) + " ms");
        }
        if (PQconsumeInput(pg_) != 1) {
            lost(trimmed(PQerrorMessage(pg_)));
        }
    }
    pg_result* result = PQgetResult(pg_);
    busy_ = result != nullptr;
    return result;
}

pg_result* connection::next_result()
{
    pg_result* result = any_result();
    if (result == nullptr) {
        return nullptr;
    }
    switch (PQresultStatus(result)) {
    case PGRES_EMPTY_QUERY:
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_SINGLE_TUPLE:
        return result;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
        PQclear(result);
        lost("a statement started COPY, which this program does not speak"); // and nothing ends it but the end
    default:
        refused(result);
    }
}

rows connection::collect()
{
    rows last;
    while (pg_result* result = next_result()) {
        last = rows(result);
    }
    return last;
}

rows connection::execute(const std::string& sql, const std::vector<parameter>& parameters)
{
    const auto texts = pointers(parameters);
    send(
        PQsendQueryParams(pg_, sql.c_str(), static_cast<int>(texts.size()), nullptr, texts.data(), nullptr, nullptr, 0),
        false);
    return collect();
}

void connection::prepare(const std::string& name, const std::string& sql)
{
    send(PQsendPrepare(pg_, name.c_str(), sql.c_str(), 0, nullptr), false);
    collect();
}

rows connection::execute_prepared(const std::string& name, const std::vector<parameter>& parameters)
{
    const auto texts = pointers(parameters);
    send(PQsendQueryPrepared(pg_, name.c_str(), static_cast<int>(texts.size()), texts.data(), nullptr, nullptr, 0),
         false);
    return collect();
}

void connection::run_script(const std::string& sql)
{
    send(PQsendQuery(pg_, sql.c_str()), false);
    collect();
}

void connection::begin(const std::string& sql, const std::vector<parameter>& parameters)
{
    const auto texts = pointers(parameters);
    send(
        PQsendQueryParams(pg_, sql.c_str(), static_cast<int>(texts.size()), nullptr, texts.data(), nullptr, nullptr, 0),
        true);
}

void connection::begin_prepared(const std::string& name, const std::vector<parameter>& parameters)
{
    const auto texts = pointers(parameters);
    send(PQsendQueryPrepared(pg_, name.c_str(), static_cast<int>(texts.size()), texts.data(), nullptr, nullptr, 0),
         true);
}

std::optional<rows> connection::next_row()
{
    while (busy_) {
        if (pg_result* result = next_result()) {
            rows one(result);
            if (!one.empty()) {
                return one;
            }
        }
    }
    return std::nullopt;
}

void connection::skip_rows()
{
    while (next_row()) {
    }
}

void connection::listen(const std::string& channel)
{
    execute("listen " + quote_name(channel));
}

std::vector<notification> connection::take_notifications()
{
    if (PQconsumeInput(pg_) != 1) {
        lost(trimmed(PQerrorMessage(pg_)));
    }
    std::vector<notification> taken;
    while (PGnotify* each = PQnotifies(pg_)) {
        const std::unique_ptr<PGnotify, decltype(&PQfreemem)> owned(each, &PQfreemem);
        taken.push_back({each->relname, or_empty(each->extra), each->be_pid});
    }
    return taken;
}

void connection::wait(milliseconds at_most, event& wake)
{
    await(POLLIN, clock::now() + at_most, &wake);
    wake.clear();
    // At the end of the stream libpq's first look says nothing yet.
    for (int look = 0; look < 2; ++look) {
        if (PQconsumeInput(pg_) != 1) {
            lost(trimmed(PQerrorMessage(pg_)));
        }
    }
}

std::vector<std::string> connection::take_notices()
{
    return std::exchange(notices_, {});
}

std::string connection::quote_name(const std::string& identifier) const
{
    const std::unique_ptr<char, decltype(&PQfreemem)> quoted(
        PQescapeIdentifier(pg_, identifier.data(), identifier.size()), &PQfreemem);
    if (!quoted) {
        throw database_error("not a name: " + identifier, "", "");
    }
    return quoted.get();
}

int connection::server_version() const
{
    return PQserverVersion(pg_);
}

std::string connection::server_version_text() const
{
    return or_empty(PQparameterStatus(pg_, "server_version"));
}

int connection::backend() const
{
    return backend_;
}

bool connection::pooled() const
{
    return backend_ != PQbackendPID(pg_);
}

std::string connection::user() const
{
    return or_empty(PQuser(pg_));
}

std::string connection::place() const
{
    const std::string host = or_empty(PQhost(pg_));
    const std::string database = or_empty(PQdb(pg_));
    if (host.empty() && database.empty()) {
        return "the database"; // the URL could not even be read
    }
    return host + ":" + or_empty(PQport(pg_)) + "/" + database + " as user " + user();
}

void connection::lost(const std::string& why)
{
    throw connection_lost("lost the connection to " + place() + ": " + one_line(why), "", "");
}

void connection::refused(pg_result* result)
{
    const rows owned(result);
    const std::string sqlstate = field(result, PG_DIAG_SQLSTATE);
    const std::string message = field(result, PG_DIAG_MESSAGE_PRIMARY);
    const std::string hint = field(result, PG_DIAG_MESSAGE_HINT);
    const std::string whole = trimmed(PQresultErrorMessage(result));
    // Class 57P is the server going down; without a code the words are libpq's.
    if (PQstatus(pg_) == CONNECTION_BAD || sqlstate.empty() || sqlstate.starts_with("57P")) {
        lost(message.empty() ? whole : message);
    }
    while (pg_result* rest = any_result()) { // until the server is ready for the next statement
        PQclear(rest);
    }
    const std::string better = hint.empty() ? advice(sqlstate, message, user()) : hint;
    std::string text = message;
    add_sentence(text, "detail: ", field(result, PG_DIAG_MESSAGE_DETAIL));
    add_sentence(text, "hint: ", better);
    text += "\n(" + place() + ", SQLSTATE " + sqlstate + ")";
    throw database_error(text, sqlstate, better);
}

} // namespace rowcast::postgres
