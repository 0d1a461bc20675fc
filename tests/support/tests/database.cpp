#include "support/database.hpp"

#include <catch2/catch.hpp>

using rowcast::support::database;

TEST_CASE("two test databases are apart, and reachable by socket and by loopback")
{
    const database one;
    const database other;
    one.execute("create table t (x int); insert into t values (7)");
    pqxx::connection connection{one.tcp_url()};
    pqxx::work work{connection};
    CHECK(work.exec1("select x from t")[0].as<int>() == 7);
    CHECK(other.execute("select to_regclass('t')")[0][0].is_null());
}

TEST_CASE("a test database is dropped in spite of connections and prepared transactions")
{
    std::string name;
    const database observer;
    {
        const database doomed;
        name = doomed.name();
        doomed.execute("create table t (x int)");
        pqxx::connection left_open = doomed.connect();
        doomed.execute("begin; insert into t values (1); prepare transaction 'left behind'");
        CHECK(left_open.is_open());
    }
    CHECK(observer.execute("select from pg_database where datname = '" + name + "'").empty());
}

TEST_CASE("the database in a URL is exchanged, whatever else the URL says")
{
    using rowcast::support::with_database;
    CHECK(with_database("postgresql:///postgres?host=/tmp/x&port=1", "a") == "postgresql:///a?host=/tmp/x&port=1");
    CHECK(with_database("postgresql://u:p@127.0.0.1:5432/postgres", "a") == "postgresql://u:p@127.0.0.1:5432/a");
    CHECK_THROWS(with_database("postgresql://h?host=/x", "a"));
}
