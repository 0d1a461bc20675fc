#include "postgres/session.hpp"

#include "postgres/server_words.hpp"

#include <pqxx/errorhandler>
#include <pqxx/except>
#include <pqxx/version>

#include <utility>

// All that differs between libpqxx 6.4 (Debian 12) and 7.10 (Debian 13).
#if PQXX_VERSION_MAJOR < 7
#include <pqxx/prepared_statement>
#else
#include <pqxx/params>
#endif

namespace rowcast::postgres {
namespace {

std::string or_empty(const char* text)
{
    return text ? text : "";
}

pqxx::connection open(const connection_options& options)
{
    const std::string all = conninfo(options);
    try {
        return pqxx::connection(all);
    } catch (const pqxx::failure& error) {
        throw not_connected(place_of(options.url), error.what());
    }
}

#if PQXX_VERSION_MAJOR < 7

// A session that came back by itself would have lost its settings.
void never_reconnect(pqxx::connection& pg)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations" // in 7 there is nothing to inhibit
    pg.inhibit_reactivation(true);
#pragma GCC diagnostic pop
}

pqxx::result run(pqxx::nontransaction& work, const std::string& sql, const std::vector<parameter>& parameters)
{
    std::vector<const char*> texts;
    for (const parameter& each : parameters) {
        texts.push_back(each ? each->c_str() : nullptr);
    }
    return work.exec_params(sql, pqxx::prepare::make_dynamic_params(texts));
}

#else

void never_reconnect(pqxx::connection&) {}

pqxx::result run(pqxx::nontransaction& work, const std::string& sql, const std::vector<parameter>& parameters)
{
    pqxx::params texts;
    for (const parameter& each : parameters) {
        texts.append(each);
    }
    return work.exec(sql, texts);
}

#endif

} // namespace

#if PQXX_VERSION_MAJOR < 7

class session::notices : public pqxx::errorhandler {
public:
    notices(pqxx::connection& pg, std::function<void(const std::string&)> notice)
        : pqxx::errorhandler(pg)
        , notice_(std::move(notice))
    {
    }

    // False: nobody else is to print it.
    bool operator()(const char text[]) noexcept override
    {
        if (notice_) {
            notice_(notice_text(read_words(text)));
        }
        return false;
    }

private:
    std::function<void(const std::string&)> notice_;
};

#else

class session::notices {
public:
    notices(pqxx::connection& pg, std::function<void(const std::string&)> notice)
    {
        pg.set_notice_handler([notice = std::move(notice)](pqxx::zview text) noexcept {
            if (notice) {
                notice(notice_text(read_words(text)));
            }
        });
    }
};

#endif

session::session(const connection_options& options, std::function<void(const std::string&)> notice)
    : pg_(open(options))
    , notices_(std::make_unique<notices>(pg_, std::move(notice)))
    , work_(pg_)
    , user_(or_empty(pg_.username()))
    , place_(place_text(or_empty(pg_.hostname()), or_empty(pg_.port()), or_empty(pg_.dbname()), user_))
{
    never_reconnect(pg_);
    check_server_version(pg_.server_version(), ask("show server_version"), place_);
    execute(session_settings(options));
}

session::~session() = default;

pqxx::result session::execute(const std::string& sql, const std::vector<parameter>& parameters)
{
    try {
        return parameters.empty() ? work_.exec(sql) : run(work_, sql, parameters);
    } catch (const pqxx::deadlock_detected& error) { // libpqxx 6 gives these two no code
        failed(error.what(), "40P01");
    } catch (const pqxx::insufficient_privilege& error) {
        failed(error.what(), "42501");
    } catch (const pqxx::sql_error& error) {
        failed(error.what(), error.sqlstate());
    } catch (const pqxx::failure& error) {
        failed(error.what(), "");
    }
}

std::string session::ask(const std::string& sql)
{
    return execute(sql).at(0).at(0).c_str();
}

std::string session::quote_name(const std::string& identifier)
{
    try {
        return pg_.quote_name(identifier);
    } catch (const pqxx::failure&) {
        throw database_error("not a name: " + identifier, "", "");
    }
}

void session::failed(const char* text, const std::string& sqlstate)
{
    server_words words = read_words(text);
    words.sqlstate = sqlstate;
    if (!pg_.is_open() && words.severity.empty()) { // libpqxx 6 forgets what the server said last
        throw lost(place_, "the server ended the session or is gone; its log says why");
    }
    // Class 57P is the server going down; words without a severity are libpq's own.
    if (!pg_.is_open() || words.severity.empty() || sqlstate.starts_with("57P")) {
        throw lost(place_, words.message);
    }
    throw refused(words, place_, user_);
}

} // namespace rowcast::postgres
