#pragma once

#include "postgres/connection_options.hpp"
#include "postgres/rows.hpp"

#include <pqxx/connection>
#include <pqxx/nontransaction>
#include <pqxx/result>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rowcast::postgres {

// One session of a PostgreSQL server, 13 or later, for what a person asks for: small answers, by libpqxx. A call blocks
// until the server answers; what bounds it is the server's statement_timeout and, where the network is gone, TCP's own
// limits. Never reconnects by itself. For this folder's .cpp files only: whoever includes this compiles libpqxx.
class session {
public:
    // `notice` gets the server's notices and warnings as they come; may be empty, must not throw.
    // Throws database_error or connection_lost, as the others do.
    session(const connection_options& options, std::function<void(const std::string&)> notice);
    ~session();

    // One statement, or several where there are no parameters (the answer is the last one's). Take fields by `at`:
    // libpqxx 6 leaves `[]` unchecked.
    pqxx::result execute(const std::string& sql, const std::vector<parameter>& parameters = {});

    // The first field of a statement's only row.
    std::string ask(const std::string& sql);

    std::string quote_name(const std::string& identifier);

    const std::string& place() const { return place_; } // "127.0.0.1:5432/shop as user bridge"

private:
    [[noreturn]] void failed(const char* text, const std::string& sqlstate);

    class notices;

    pqxx::connection pg_;
    std::unique_ptr<notices> notices_;
    pqxx::nontransaction work_;
    std::string user_;
    std::string place_;
};

} // namespace rowcast::postgres
