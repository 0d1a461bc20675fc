#include "postgres/database_error.hpp"

#include <array>

namespace rowcast::postgres {
namespace {

bool contains(std::string_view text, std::string_view part)
{
    return text.find(part) != std::string_view::npos;
}

struct known_refusal {
    std::string_view words;
    std::string_view advice;
};

// PostgreSQL's and libpq's English words; in another language only they themselves are shown.
constexpr std::array refusals = {
    known_refusal{"password authentication failed", "The user name or the password in the URL is wrong."},
    known_refusal{"no password supplied", "The URL has no password, and neither PGPASSWORD nor ~/.pgpass gives one."},
    known_refusal{"no pg_hba.conf entry",
                  "Let pg_hba.conf allow this user, database and address (or use sslmode=require)."},
    known_refusal{"Connection refused", "Is PostgreSQL running there, and does listen_addresses include this address?"},
    known_refusal{"No such file or directory", "Is PostgreSQL running, and is this its unix_socket_directories?"},
    known_refusal{"could not translate host name", "The host in the URL is unknown."},
    known_refusal{"too many clients", "Raise max_connections, or close some connections."},
    known_refusal{"remaining connection slots", "Raise max_connections, or close some connections."},
    known_refusal{"session is not read-write", "Connect to the primary: rowcast cannot read from a standby."},
    known_refusal{"the database system is", "It should accept connections shortly."},
};

} // namespace

std::string advice(std::string_view sqlstate, std::string_view message, std::string_view user)
{
    if (sqlstate == "42501") {
        if (contains(message, "rowcast")) {
            return "Let the owner of rowcast run: select rowcast.grant_bridge('" + std::string(user) + "')";
        }
        return "User \"" + std::string(user) + "\" lacks a right; let the owner of the object grant it.";
    }
    const bool missing = sqlstate == "3F000" || sqlstate == "42P01" || sqlstate == "42883" || sqlstate == "42703";
    if (missing && contains(message, "rowcast")) {
        return "rowcast is not installed in this database, or is too old: run `rowcast install`.";
    }
    if (sqlstate == "55P03") {
        return "Another session holds a lock; try again, or look for long transactions in pg_stat_activity.";
    }
    if (sqlstate == "57014") {
        return "The server was too slow, or somebody cancelled it.";
    }
    if (sqlstate == "25006") {
        return "Connect to the primary: rowcast cannot work on a standby or in a read-only session.";
    }
    if (sqlstate == "26000" || sqlstate == "42P05") {
        return "A connection pooler seems to share this session: give the bridge a direct connection.";
    }
    return {};
}

std::string connect_advice(std::string_view message)
{
    if (contains(message, "database \"") && contains(message, "does not exist")) {
        return "There is no such database on this server; check the end of the URL.";
    }
    if (contains(message, "role \"") && contains(message, "does not exist")) {
        return "There is no such user on this server; check the start of the URL.";
    }
    for (const known_refusal& known : refusals) {
        if (contains(message, known.words)) {
            return std::string(known.advice);
        }
    }
    return {};
}

} // namespace rowcast::postgres
