#include "postgres/embedded_sql.hpp"
#include "postgres/follower.hpp"
#include "postgres/log_statement.hpp"
#include "postgres/recorder.hpp"
#include "support/postgres_cluster.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <csignal>

using namespace rowcast;
using namespace std::chrono_literals;
using rowcast::support::postgres_cluster;
using rowcast::test::recorder;

namespace {

// Commits wait for nobody, and nobody writes them out for a while. (fsync, which the clusters of the tests do without, is
// about the machine's crash; here PostgreSQL's own memory is what gets lost.)
const std::vector<std::string> unflushed{"synchronous_commit = off", "wal_writer_delay = 10s", "autovacuum = off"};

pqxx::result execute(const postgres_cluster& cluster, const std::string& sql)
{
    pqxx::connection connection = cluster.connect();
    pqxx::nontransaction work{connection};
    return work.exec(sql);
}

// What a reader does that believes every snapshot at once.
core::cursor naive_position(const postgres_cluster& cluster)
{
    postgres::connection on{{.url = cluster.url()}};
    return {*core::snapshot::parse(on.execute("select pg_current_snapshot()").text(0, 0)), std::nullopt};
}

std::size_t naive_read(const postgres_cluster& cluster, const core::cursor& from)
{
    postgres::connection on{{.url = cluster.url()}};
    return on.execute(postgres::log_statement, postgres::log_parameters(from, {}, std::nullopt)).size() - 1;
}

// Whether the transaction id came again: PostgreSQL may write out that it was given away, for reasons of its own, before the
// commit that was to be lost.
bool crash_and_reuse()
{
    postgres_cluster cluster{unflushed};
    execute(cluster, std::string(postgres::install_sql));
    execute(cluster, "create table t (id int primary key, v text); select rowcast.watch('t', notify => true)");

    recorder got;
    core::cursor naive;
    std::atomic<bool> crash_at_flush = false;
    // The moment between reading a commit and having it on disk, made as long as it takes.
    const observe::sink sink = [&, record = got.sink()](const observe::observation& seen) {
        if (std::holds_alternative<observe::flush_forced>(seen) && crash_at_flush.exchange(false)) {
            naive = naive_position(cluster);
            cluster.crash();
        }
        record(seen);
    };
    postgres::follower_options options;
    options.connection.url = cluster.url();
    options.poll_interval = 1h;
    postgres::follower follower{options, got.callbacks(), sink};
    got.wait_for_start();
    execute(cluster, "insert into t values (1, 'before')");
    got.wait_for_changes(1);

    // It would write out whole pages.
    const auto wal_writer =
        execute(cluster, "select pid from pg_stat_activity where backend_type = 'walwriter'")[0][0].as<int>();
    REQUIRE(::kill(wal_writer, SIGSTOP) == 0);
    crash_at_flush = true;
    const auto lost_xid = [&] {
        pqxx::connection connection = cluster.connect();
        pqxx::work work{connection};
        const auto xid = work.exec1("insert into t values (2, 'lost') returning pg_current_xact_id()::text")[0]
                             .as<core::transaction_id>();
        work.commit(); // PostgreSQL said so
        return xid;
    }();
    got.wait_until(
        [&] {
            return !crash_at_flush && got.observations.size() > 0 &&
                   std::holds_alternative<observe::database_lost>(got.observations.back());
        },
        "the crash");
    CHECK(naive.seen.sees(lost_xid));
    CHECK(got.changes.size() == 1);

    cluster.start();
    CHECK(execute(cluster, "select from t where id = 2").empty());
    const auto reused = execute(cluster, "insert into t values (3, 'after') returning pg_current_xact_id()::text")[0][0]
                            .as<core::transaction_id>();
    got.wait_for_changes(2);
    CHECK(got.changes[0].after == R"({"id":1,"v":"before"})");
    CHECK(got.changes[1].after == R"({"id":3,"v":"after"})");
    CHECK(got.changes[1].xid == reused);
    CHECK(got.beginnings.size() == 1); // and nobody had to read again

    // Whoever took the snapshot at its word misses it for ever.
    CHECK((naive_read(cluster, naive) == 0 || reused > lost_xid));
    follower.stop();
    return reused <= lost_xid;
}

} // namespace

TEST_CASE("what a crash takes back is never delivered, and what commits later under the same transaction id is")
{
    bool reused = false;
    for (int attempt = 0; attempt < 5 && !reused; ++attempt) {
        reused = crash_and_reuse();
    }
    CHECK(reused);
}

TEST_CASE("the snapshot that a follower starts from is on disk too")
{
    postgres_cluster cluster{unflushed};
    execute(cluster, std::string(postgres::install_sql));
    execute(cluster, "create table t (id int primary key); select rowcast.watch('t', notify => true)");
    execute(cluster, "insert into t values (1)");
    recorder got;
    postgres::follower_options options;
    options.connection.url = cluster.url();
    postgres::follower follower{options, got.callbacks(), got.sink()};
    got.wait_for_start();
    cluster.crash();
    cluster.start();
    CHECK(execute(cluster, "select from t").size() == 1);
    follower.stop();
}
