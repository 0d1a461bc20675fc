#include "postgres/connection.hpp"

#include "postgres/server_words.hpp"

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

std::string field(const pg_result* result, int code)
{
    const char* value = PQresultErrorField(result, code);
    return value ? value : "";
}

server_words words_of(const pg_result* result)
{
    return {field(result, PG_DIAG_SEVERITY), field(result, PG_DIAG_SQLSTATE), field(result, PG_DIAG_MESSAGE_PRIMARY),
            field(result, PG_DIAG_MESSAGE_DETAIL), field(result, PG_DIAG_MESSAGE_HINT)};
}

extern "C" void keep_notice(void* into, const PGresult* notice)
{
    auto& notices = *static_cast<std::vector<std::string>*>(into);
    if (notices.size() < most_notices) {
        notices.push_back(notice_text(words_of(notice)));
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

void connection::open(const connection_options& options)
{
    pg_ = PQconnectStart(conninfo(options).c_str());
    if (pg_ == nullptr) {
        throw std::bad_alloc();
    }
    PQsetNoticeReceiver(pg_, keep_notice, &notices_);

    const std::string hosts = option(pg_, "host");
    const auto until = clock::now() + options.connect_timeout * (1 + std::count(hosts.begin(), hosts.end(), ','));
    PostgresPollingStatusType state = PQstatus(pg_) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED) {
            throw not_connected(place(), PQerrorMessage(pg_));
        }
        if (!await(state == PGRES_POLLING_READING ? POLLIN : POLLOUT, until)) {
            lost("it does not answer");
        }
        state = PQconnectPoll(pg_);
    }
    if (PQsetnonblocking(pg_, 1) != 0) {
        lost(PQerrorMessage(pg_));
    }
}

void connection::set_up(const connection_options& options)
{
    check_server_version(server_version(), server_version_text(), place());
    run_script(session_settings(options));
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
        lost(PQerrorMessage(pg_));
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
            lost(more < 0 ? PQerrorMessage(pg_) : "it takes no statement");
        }
        // The server may want to be read before it reads on (libpq manual, PQflush).
        if (PQconsumeInput(pg_) != 1) {
            lost(PQerrorMessage(pg_));
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
            lost(PQerrorMessage(pg_));
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

rows connection::run_script(const std::string& sql)
{
    send(PQsendQuery(pg_, sql.c_str()), false);
    return collect();
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
        lost(PQerrorMessage(pg_));
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
            lost(PQerrorMessage(pg_));
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
    return place_text(or_empty(PQhost(pg_)), or_empty(PQport(pg_)), or_empty(PQdb(pg_)), user());
}

void connection::lost(const std::string& why)
{
    throw postgres::lost(place(), why);
}

void connection::refused(pg_result* result)
{
    const rows owned(result);
    const server_words words = words_of(result);
    // Class 57P is the server going down; without a code the words are libpq's.
    if (PQstatus(pg_) == CONNECTION_BAD || words.sqlstate.empty() || words.sqlstate.starts_with("57P")) {
        lost(words.message.empty() ? PQresultErrorMessage(result) : words.message);
    }
    while (pg_result* rest = any_result()) { // until the server is ready for the next statement
        PQclear(rest);
    }
    throw postgres::refused(words, place(), user());
}

} // namespace rowcast::postgres
