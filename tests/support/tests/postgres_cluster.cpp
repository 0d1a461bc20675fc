#include "support/postgres_cluster.hpp"

#include <catch2/catch.hpp>

using namespace rowcast::support;
using namespace std::chrono_literals;

namespace {

int count(const postgres_cluster& cluster)
{
    pqxx::connection connection = cluster.connect();
    pqxx::nontransaction work{connection};
    return work.exec1("select count(*) from t")[0].as<int>();
}

void execute(const postgres_cluster& cluster, const std::string& sql)
{
    pqxx::connection connection = cluster.connect();
    pqxx::nontransaction{connection}.exec(sql);
}

}

TEST_CASE("a crash of a server of one's own loses what was not flushed, and nothing else")
{
    postgres_cluster cluster{{"wal_writer_delay = 10s"}};
    execute(cluster, "create table t (x int); insert into t values (1)");
    execute(cluster, "set synchronous_commit = off; insert into t values (2)");
    CHECK(count(cluster) == 2);
    cluster.crash();
    CHECK_FALSE(cluster.running());
    CHECK_THROWS_AS(cluster.connect(), pqxx::broken_connection);
    cluster.start();
    CHECK(count(cluster) == 1);
    CHECK_THAT(cluster.log(), Catch::Contains("was not properly shut down"));
}

TEST_CASE("a frozen server does not answer, a thawed one does")
{
    postgres_cluster cluster;
    cluster.freeze();
    process query{{"psql", cluster.tcp_url(), "-Atc", "select 'answer'"}};
    CHECK_THROWS(query.read_line(300ms));
    cluster.thaw();
    CHECK(query.read_line() == "answer");
}

TEST_CASE("a standby follows its primary and takes over when promoted")
{
    postgres_cluster primary;
    execute(primary, "create table t (x int); insert into t values (1)");
    const auto standby = postgres_cluster::standby_of(primary);
    execute(primary, "insert into t values (2)");
    CHECK(eventually([&] { return count(*standby) == 2; }));
    CHECK_THROWS(execute(*standby, "insert into t values (3)"));
    primary.stop();
    standby->promote();
    execute(*standby, "insert into t values (3)");
    standby->restart();
    CHECK(count(*standby) == 3);
}
