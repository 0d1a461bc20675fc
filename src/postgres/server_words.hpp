#pragma once

#include "postgres/database_error.hpp"

#include <string>
#include <string_view>

namespace rowcast::postgres {

// What PostgreSQL said when it refused something, or in passing (a notice).
struct server_words {
    std::string severity;
    std::string sqlstate;
    std::string message;
    std::string detail;
    std::string hint;
};

// From the text that libpq makes of it ("ERROR:  ...\nDETAIL:  ...\nHINT:  ..."), which is without a SQLSTATE. Where in
// a statement or function it happened is left out. A text of another form is the message.
server_words read_words(std::string_view text);

// As a person reads it: what was said, its hint or, where there is none, our advice, and where.
database_error refused(const server_words& words, const std::string& place, const std::string& user);
std::string notice_text(const server_words& words);

// The same where the connection failed; `words` are libpq's.
connection_lost not_connected(const std::string& place, std::string_view words);
connection_lost lost(const std::string& place, std::string_view words);

// Throws database_error where the server is older than PostgreSQL 13.
void check_server_version(int version, const std::string& text, const std::string& place);

} // namespace rowcast::postgres
