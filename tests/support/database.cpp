#include "support/database.hpp"

#include "postgres/embedded_sql.hpp"
#include "support/paths.hpp"

#include <unistd.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <iostream>
#include <stdexcept>

namespace rowcast::support {

namespace {

std::string cluster_fact(const std::string& name)
{
    const auto path = cluster_dir() / name;
    std::ifstream file{path};
    std::string line;
    if (!std::getline(file, line))
        throw std::runtime_error{
            "there is no test cluster (" + path.string() + " is missing): run this through ctest, or first\n  " +
            (source_dir() / "tests/support/cluster").string() + " start " + cluster_dir().string()};
    return line;
}

pqxx::connection maintenance()
{
    return pqxx::connection{cluster_fact("url")};
}

pqxx::result execute_in(pqxx::connection& connection, std::string_view sql)
{
    pqxx::nontransaction work{connection};
    return work.exec(std::string{sql});
}

std::string fresh_name()
{
    static std::atomic<int> count{0};
    return "rowcast_test_" + std::to_string(::getpid()) + "_" + std::to_string(++count);
}

// Made by the first test that asks; the others wait for it. Named after its content, so that it is never an old one.
std::string template_with_rowcast()
{
    if (postgres::install_sql.empty())
        throw std::runtime_error{"sql/triggers/install.sql is missing from this build"};
    const std::string name = "rowcast_template_" + std::to_string(std::hash<std::string_view>{}(postgres::install_sql));
    pqxx::connection connection = maintenance();
    execute_in(connection, "select pg_advisory_lock(7019)");
    if (execute_in(connection, "select from pg_database where datname = " + connection.quote(name)).empty()) {
        const std::string draft = name + "_draft";
        execute_in(connection, "drop database if exists " + draft + " with (force)");
        execute_in(connection, "create database " + draft);
        {
            pqxx::connection installer{with_database(cluster_fact("url"), draft)};
            execute_in(installer, postgres::install_sql);
        }
        // CREATE DATABASE ... TEMPLATE fails while anybody is connected to the template.
        execute_in(connection, "alter database " + draft + " with allow_connections false");
        execute_in(connection, "alter database " + draft + " rename to " + name);
    }
    return name;
}

void roll_back_prepared(const std::string& url)
{
    pqxx::connection connection{url};
    for (const auto& row :
         execute_in(connection, "select gid from pg_prepared_xacts where database = current_database()"))
        execute_in(connection, "rollback prepared " + connection.quote(row[0].as<std::string>()));
}

}

database::database()
    : database{std::string_view{"template0"}}
{
}

database::database(with_rowcast_t)
    : database{std::string_view{template_with_rowcast()}}
{
    execute("select from rowcast.claim_identity()"); // it is a copy, and not many tests are about that
}

database::database(std::string_view template_name)
    : name_{fresh_name()}
    , url_{with_database(cluster_fact("url"), name_)}
    , tcp_url_{with_database(cluster_fact("tcp_url"), name_)}
{
    pqxx::connection connection = maintenance();
    execute_in(connection, "create database " + name_ + " template " + std::string{template_name});
}

database::~database()
{
    // What cannot be dropped goes with the cluster; it must not hide the test's own failure.
    try {
        roll_back_prepared(url_);
        pqxx::connection connection = maintenance();
        execute_in(connection, "drop database if exists " + name_ + " with (force)");
    } catch (const std::exception& error) {
        std::cerr << "cannot drop " << name_ << ": " << error.what() << '\n';
    }
}

pqxx::connection database::connect() const
{
    return pqxx::connection{url_};
}

pqxx::result database::execute(std::string_view sql) const
{
    pqxx::connection connection{url_};
    return execute_in(connection, sql);
}

std::string with_database(std::string_view url, std::string_view name)
{
    const std::size_t authority = url.find("://") + 3;
    const std::size_t path = url.find('/', authority);
    const std::size_t query = url.find('?', authority);
    if (path >= query && query != url.npos)
        throw std::invalid_argument{"this database URL has no path: " + std::string{url}};
    return std::string{url.substr(0, path + 1)}.append(name).append(query == url.npos ? "" : url.substr(query));
}

}
