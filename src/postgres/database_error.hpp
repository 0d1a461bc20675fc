#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace rowcast::postgres {

// What PostgreSQL (or the way to it) refused. A broken environment throws; whoever runs a background job catches.
// `what()` is for people: where, what failed, PostgreSQL's DETAIL and HINT, and what to do. Never a password.
class database_error : public std::runtime_error {
public:
    database_error(const std::string& text, std::string sqlstate, std::string hint)
        : std::runtime_error(text)
        , sqlstate_(std::move(sqlstate))
        , hint_(std::move(hint))
    {
    }

    const std::string& sqlstate() const { return sqlstate_; } // empty where PostgreSQL did not get to say one

    const std::string& hint() const { return hint_; } // what to do; it stands at the end of `what()` too

private:
    std::string sqlstate_;
    std::string hint_;
};

// The connection is gone, never came to be, or did not answer in time. Nothing is known about the last statement.
class connection_lost : public database_error {
public:
    using database_error::database_error;
};

// The connection's `stop` was signalled while it waited.
class interrupted : public std::runtime_error {
public:
    interrupted()
        : std::runtime_error("stopped")
    {
    }
};

// What a person can do about it; empty where nothing better is known than PostgreSQL's own words.
std::string advice(std::string_view sqlstate, std::string_view message, std::string_view user);

// The same for a connection that was refused: PostgreSQL gives no SQLSTATE there, only its words.
std::string connect_advice(std::string_view message);

} // namespace rowcast::postgres
