#include "postgres/embedded_sql.hpp"
#include "postgres/follower.hpp"
#include "postgres/recorder.hpp"
#include "support/database.hpp"
#include "support/postgres_cluster.hpp"

#include <catch2/catch.hpp>

#include <csignal>

using namespace rowcast;
using namespace std::chrono_literals;
using rowcast::support::database;
using rowcast::support::postgres_cluster;
using rowcast::support::with_rowcast;
using rowcast::test::recorder;

namespace {

const std::string watched_table = "create table t (id int primary key); select rowcast.watch('t', notify => true)";

// A follower under test, and what it was told since.
struct following {
    explicit following(const std::string& url, std::chrono::milliseconds statement_timeout = 2s)
        : follower{{.connection = {.url = url, .statement_timeout = statement_timeout},
                    .poll_interval = 200ms,
                    .notify_channels = {},
                    .pages = {}},
                   got.callbacks(),
                   got.sink()}
    {
        got.wait_for_start();
        connected();
    }

    void connected()
    {
        CHECK(support::eventually([&] { return follower.now().connected; }));
    }

    void lost(std::size_t times)
    {
        CHECK(support::eventually([&] { return got.count<observe::database_lost>() >= times; }));
    }

    recorder got;
    postgres::follower follower;
};

std::string follower_backends(const database& db, const std::string& what)
{
    return "select " + what + " from pg_stat_activity where datname = '" + db.name() +
           "' and application_name = 'rowcast'";
}

void insert(const database& db, int from, int to)
{
    db.execute("insert into t select n from generate_series(" + std::to_string(from) + ", " + std::to_string(to) +
               ") n");
}

} // namespace

TEST_CASE("a follower whose session is ended again and again loses and doubles nothing")
{
    const database db{with_rowcast};
    db.execute(watched_table);
    following f{db.url()};
    for (int round = 0; round < 5; ++round) {
        insert(db, round * 100, round * 100 + 49);
        db.execute(follower_backends(db, "pg_terminate_backend(pid)"));
        insert(db, round * 100 + 50, round * 100 + 99);
        f.got.wait_for_changes(static_cast<std::size_t>(round + 1) * 100);
        f.connected();
    }
    CHECK(f.got.changes.size() == 500);
    CHECK(f.got.beginnings.size() == 1);
    CHECK(f.got.count<observe::database_lost>() >= 5);
}

TEST_CASE("a follower whose session is ended in the middle of a large step goes on in its middle")
{
    const database db{with_rowcast};
    db.execute(watched_table);
    recorder got;
    int pages = 0;
    got.at_each_page = [&] {
        if (++pages == 5) {
            db.execute(follower_backends(db, "pg_terminate_backend(pid)"));
        }
    };
    postgres::follower_options options;
    options.connection.url = db.url();
    options.pages.changes = 500;
    postgres::follower follower{options, got.callbacks(), got.sink()};
    got.wait_for_start();
    insert(db, 1, 10'000);
    got.wait_for_changes(10'000);
    follower.stop();
    CHECK(got.changes.size() == 10'000);
    CHECK(got.count<observe::database_lost>() == 1);
}

TEST_CASE("a server process that hangs is left behind")
{
    const database db{with_rowcast};
    db.execute(watched_table);
    following f{db.url(), 1s};
    const auto hung = db.execute(follower_backends(db, "pid"))[0][0].as<int>();
    REQUIRE(::kill(hung, SIGSTOP) == 0);
    insert(db, 1, 10);
    f.got.wait_for_changes(10);
    ::kill(hung, SIGCONT);
    CHECK(f.got.count<observe::database_lost>() >= 1);
}

TEST_CASE("a server that hangs as a whole is waited for")
{
    postgres_cluster cluster;
    pqxx::connection connection = cluster.connect();
    pqxx::nontransaction{connection}.exec(std::string(postgres::install_sql));
    pqxx::nontransaction{connection}.exec("set search_path = public;" + watched_table);
    following f{cluster.tcp_url(), 500ms};
    pqxx::nontransaction{connection}.exec("insert into t values (1)");
    f.got.wait_for_changes(1);
    cluster.freeze();
    f.lost(1);
    CHECK_FALSE(f.follower.now().connected);
    CHECK_THAT(f.follower.now().problem,
               Catch::Contains("did not answer within") || Catch::Contains("does not answer"));
    cluster.thaw();
    pqxx::nontransaction{connection}.exec("insert into t values (2)");
    f.got.wait_for_changes(2);
    CHECK(f.got.changes.size() == 2);
    f.follower.stop();
}

TEST_CASE("a restart of PostgreSQL loses and doubles nothing")
{
    postgres_cluster cluster;
    const auto execute = [&](const std::string& sql) {
        pqxx::connection connection = cluster.connect();
        pqxx::nontransaction{connection}.exec(sql);
    };
    execute(std::string(postgres::install_sql));
    execute(watched_table);
    following f{cluster.url()};
    execute("insert into t select n from generate_series(1, 10) n");
    cluster.restart();
    execute("insert into t select n from generate_series(11, 20) n");
    f.got.wait_for_changes(20);
    cluster.stop();
    f.lost(2);
    cluster.start();
    execute("insert into t select n from generate_series(21, 30) n");
    f.got.wait_for_changes(30);
    CHECK(f.got.changes.size() == 30);
    CHECK(f.got.beginnings.size() == 1);
    f.follower.stop();
}

TEST_CASE("a follower that retention has passed while it was away says so, and begins anew")
{
    const database db{with_rowcast};
    db.execute(watched_table);
    following f{db.url()};
    pqxx::connection inside = db.connect();
    const database elsewhere;
    const auto let_in = [&](bool allowed) {
        elsewhere.execute("alter database " + db.name() + " with allow_connections " + (allowed ? "true" : "false"));
    };
    let_in(false);
    elsewhere.execute(follower_backends(db, "pg_terminate_backend(pid)"));
    f.lost(1);
    pqxx::nontransaction{inside}.exec("insert into t values (1), (2)");
    // Other tests' transactions hold retention back.
    REQUIRE(support::eventually([&] {
        return pqxx::nontransaction{inside}.exec("select removed from rowcast.expire('0', null)")[0][0].as<int>() == 2;
    }));
    let_in(true);
    f.got.wait_until([&] { return f.got.beginnings.size() == 2; }, "the new beginning");
    CHECK(f.got.beginnings[1] == "cursor_expired");
    insert(db, 3, 3);
    f.got.wait_for_changes(1);
    CHECK(f.got.changes[0].after == R"({"id":3})");
}

TEST_CASE("a log that was installed anew is told as another one")
{
    const database db{with_rowcast};
    db.execute(watched_table);
    following f{db.url()};
    db.execute("update rowcast.settings set log_id = gen_random_uuid()");
    db.execute(follower_backends(db, "pg_terminate_backend(pid)"));
    f.got.wait_until([&] { return f.got.beginnings.size() == 2; }, "the new beginning");
    CHECK(f.got.beginnings[1] == "log_replaced");
    db.execute("update rowcast.settings set system_identifier = 1");
    db.execute(follower_backends(db, "pg_terminate_backend(pid)"));
    f.got.wait_until([&] { return f.got.beginnings.size() == 3; }, "the third beginning");
    CHECK(f.got.beginnings[2] == "log_renewed");
    insert(db, 1, 1);
    f.got.wait_for_changes(1);
}

TEST_CASE("after a fail-over a follower begins anew on the new timeline, and does not read from a standby")
{
    postgres_cluster primary;
    const auto execute = [](const postgres_cluster& on, const std::string& sql) {
        pqxx::connection connection = on.connect();
        pqxx::nontransaction{connection}.exec(sql);
    };
    execute(primary, std::string(postgres::install_sql));
    execute(primary, watched_table);
    const auto standby = postgres_cluster::standby_of(primary);
    const std::string both = "postgresql://postgres@127.0.0.1:" + std::to_string(primary.port()) +
                             ",127.0.0.1:" + std::to_string(standby->port()) + "/postgres";
    following f{both};
    execute(primary, "insert into t values (1)");
    f.got.wait_for_changes(1);
    CHECK(support::eventually([&] {
        pqxx::connection connection = standby->connect();
        return pqxx::nontransaction{connection}.exec("select from t").size() == 1;
    }));
    primary.stop();
    CHECK(support::eventually([&] { return f.follower.now().problem.find("is a standby") != std::string::npos; }));
    standby->promote();
    f.got.wait_until([&] { return f.got.beginnings.size() == 2; }, "the new beginning");
    CHECK(f.got.beginnings[1] == "fail_over");
    f.connected();
    execute(*standby, "insert into t values (2)");
    f.got.wait_for_changes(2);
    f.follower.stop();
}
