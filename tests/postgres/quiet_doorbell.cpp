// The quiet doorbell with a real PostgreSQL: postgres/doorbell.cpp has its states one by one.

#include "postgres/follower.hpp"
#include "postgres/recorder.hpp"
#include "support/database.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <csignal>
#include <random>
#include <thread>

using namespace rowcast;
using namespace std::chrono_literals;
using rowcast::postgres::doorbell;
using rowcast::support::database;
using rowcast::support::eventually;
using rowcast::support::with_rowcast;
using rowcast::test::recorder;
using state = rowcast::postgres::doorbell::state;

namespace {

const std::string watched_table =
    "create table t (id bigint generated always as identity primary key); select rowcast.watch('t', notify => true)";

// Who must not be found by polling must be found otherwise.
constexpr auto never = 1h;

// Busy with what a test's single writer does.
const doorbell::thresholds lively{.transactions = 60, .crowded_transactions = 60, .crowd = 0, .window = 20ms, .calm_for = 700ms};

struct following {
    explicit following(const database& db, std::chrono::milliseconds poll_interval = never,
                       std::chrono::milliseconds statement_timeout = 5s, doorbell::thresholds busy = lively)
        : follower{{.connection = {.url = db.url(), .statement_timeout = statement_timeout},
                    .poll_interval = poll_interval,
                    .notify_channels = {},
                    .pages = {},
                    .busy = busy},
                   got.callbacks(),
                   got.sink()}
    {
        got.wait_for_start();
        REQUIRE(eventually([this] { return follower.now().bell != state::letting_go; }));
    }

    bool becomes(state wanted)
    {
        return eventually([&] { return follower.now().bell == wanted; });
    }

    recorder got;
    postgres::follower follower;
};

// One row a transaction, without a pause, until it is stopped.
class writer {
public:
    explicit writer(const database& db)
        : thread_([this, &db] {
            pqxx::connection connection = db.connect();
            pqxx::nontransaction work(connection);
            while (!stop_) {
                work.exec("insert into t default values");
                ++written_;
            }
        })
    {
    }
    ~writer() { stop(); }

    std::size_t stop()
    {
        stop_ = true;
        if (thread_.joinable()) {
            thread_.join();
        }
        return written_;
    }

private:
    std::atomic<bool> stop_ = false;
    std::atomic<std::size_t> written_ = 0;
    std::thread thread_;
};

std::string sessions(const database& db, const std::string& purpose, const std::string& what)
{
    return "select " + what + " from pg_stat_activity where datname = '" + db.name() + "' and application_name = '" + purpose + "'";
}

constexpr auto holders = "select pid from pg_locks where locktype = 'advisory' and mode = 'ExclusiveLock' and objsubid = 2 and "
                         "database = (select oid from pg_database where datname = current_database())";

// What rings on the bridge's channel.
class listener : pqxx::notification_receiver {
public:
    explicit listener(pqxx::connection& on) : pqxx::notification_receiver(on, "rowcast") {}
    void operator()(const std::string& payload, int) override
    {
        if (payload == "mark") {
            by_bridges = by_writers = 0;
            marked = true;
        } else {
            (payload == "{}" ? by_bridges : by_writers) += 1;
        }
    }
    void listen() { conn().get_notifs(); }
    // Forgets what was rung before, which may still be on its way.
    void begin(const database& db)
    {
        marked = false;
        db.execute("select pg_notify('rowcast', 'mark')");
        REQUIRE(eventually([this] {
            listen();
            return marked;
        }));
    }
    bool marked = false;
    int by_bridges = 0;
    int by_writers = 0;
};

} // namespace

TEST_CASE("a busy log is looked at by itself, so that writers need not ring, until it is calm again")
{
    const database db{with_rowcast};
    db.execute(watched_table);
    following f{db};
    pqxx::connection ears{db.connect()};
    listener bell{ears};
    CHECK(db.execute(sessions(db, "rowcast doorbell", "pid")).empty()); // no connection before it is needed

    writer busy{db};
    REQUIRE(f.becomes(state::quiet));
    CHECK(db.execute(holders).size() == 1);
    bell.begin(db);
    REQUIRE(eventually([&] {
        bell.listen();
        return bell.by_bridges >= 5; // for other bridges
    }));
    CHECK(bell.by_writers <= 1); // whoever had looked at the key before it was taken
    const std::size_t written = busy.stop();

    REQUIRE(f.becomes(state::sleeping));
    CHECK(db.execute(holders).empty());
    db.execute("insert into t default values");
    f.got.wait_for_changes(written + 1);
    CHECK(eventually([&] {
        bell.listen();
        return bell.by_writers >= 1;
    }));
    f.follower.stop();
    CHECK(f.got.changes.size() == written + 1);
}

TEST_CASE("a busy log is looked at less often while handing out what it holds takes long")
{
    const database db{with_rowcast};
    db.execute(watched_table);
    recorder got;
    auto calls = got.callbacks();
    std::vector<doorbell::time> reads; // of the quiet doorbell
    std::atomic<std::size_t> many = 0;
    std::atomic<const postgres::follower*> following = nullptr;
    calls.handing_out = [] { return 900ms; };
    calls.read_to_end = [&] {
        if (const auto* its = following.load(); its && its->now().bell == state::quiet) {
            reads.push_back(its->now().last_read.value());
            many = reads.size();
        }
    };
    postgres::follower follower{{.connection = {.url = db.url()}, .poll_interval = never, .notify_channels = {}, .pages = {}, .busy = lively}, calls, got.sink()};
    following = &follower;
    got.wait_for_start();
    writer busy{db};
    REQUIRE(eventually([&] { return many >= 8; }));
    busy.stop();
    follower.stop();
    for (std::size_t i = 1; i < 8; ++i) {
        CHECK(reads[i] - reads[i - 1] >= 20ms);
    }
}

TEST_CASE("who wrote while the key was held and commits when all is calm is found without a poll")
{
    const database db{with_rowcast};
    db.execute(watched_table);
    following f{db};
    writer busy{db};
    REQUIRE(f.becomes(state::quiet));
    pqxx::connection slow{db.connect()};
    pqxx::work open{slow};
    open.exec("insert into t default values");
    const std::size_t written = busy.stop();
    REQUIRE(f.becomes(state::letting_go));
    f.got.wait_for_changes(written);
    REQUIRE(eventually([&] { return db.execute(holders).empty(); }));
    CHECK(f.follower.now().bell == state::letting_go);
    open.commit();
    f.got.wait_for_changes(written + 1);
    CHECK(f.becomes(state::sleeping));
}

TEST_CASE("a doorbell that goes to and fro all the time loses no wake-up")
{
    const database db{with_rowcast};
    db.execute(watched_table);
    // Bursts make it quiet at once, and a few milliseconds without make it let go.
    following f{db, never, 5s, {.transactions = 300, .crowded_transactions = 300, .crowd = 0, .window = 2ms, .calm_for = 4ms}};
    constexpr int writers = 6;
    constexpr std::size_t changes_of_state = 20;
    constexpr int least_bursts = 60;
    constexpr int most_bursts = 1'000; // a quiet machine needs more until the state has changed so often
    constexpr int burst = 20;
    std::atomic<std::size_t> written = 0;
    std::vector<std::thread> threads;
    for (int number = 0; number < writers; ++number) {
        threads.emplace_back([&, number] {
            std::minstd_rand random(static_cast<unsigned>(number + 1));
            pqxx::connection connection = db.connect();
            for (int i = 0; i < least_bursts || (i < most_bursts && f.got.count<observe::doorbell_changed>() <= changes_of_state); ++i) {
                for (int k = 0; k < burst; ++k) {
                    pqxx::nontransaction(connection).exec("insert into t default values");
                }
                // The last of a burst stays open over the changes of the doorbell's state.
                pqxx::work open(connection);
                open.exec("insert into t default values");
                std::this_thread::sleep_for(std::chrono::milliseconds(random() % 30));
                open.commit();
                written += burst + 1;
                std::this_thread::sleep_for(std::chrono::milliseconds(random() % 30));
            }
        });
    }
    for (std::thread& each : threads) {
        each.join();
    }
    f.got.wait_for_changes(written); // nobody polls
    CHECK(f.becomes(state::sleeping));
    CHECK(f.got.count<observe::doorbell_changed>() > changes_of_state);
}

TEST_CASE("another bridge is told of what the writers do not ring for, and goes on when the one with the key is gone")
{
    const database db{with_rowcast};
    db.execute(watched_table);
    std::size_t written = 0;
    following first{db};
    {
        writer busy{db};
        REQUIRE(first.becomes(state::quiet));
        following second{db, 2s};
        const std::size_t at_least = 200;
        second.got.wait_for_changes(at_least);
        CHECK(second.follower.now().bell != state::quiet); // one has the key
        first.follower.stop();
        REQUIRE(second.becomes(state::quiet));
        written = busy.stop();
        REQUIRE(second.becomes(state::sleeping));
        db.execute("insert into t default values");
        second.got.wait_until([&] { return second.got.changes.back().after == "{\"id\":" + std::to_string(written + 1) + "}"; },
                              "the last change");
        // Without a hole since it joined.
        const auto& changes = second.got.changes;
        CHECK(std::adjacent_find(changes.begin(), changes.end(), [](const auto& a, const auto& b) { return b.where.id <= a.where.id; }) ==
              changes.end());
        second.follower.stop();
    }
    REQUIRE(db.execute("select count(*) from rowcast.change_log")[0][0].as<std::size_t>() == written + 1);
}

TEST_CASE("whichever connection is lost while the key is held, nothing is lost and the writers ring again")
{
    const database db{with_rowcast};
    db.execute(watched_table);
    following f{db};
    std::size_t written = 0;
    for (const char* const lost : {"rowcast doorbell", "rowcast", "rowcast%", "rowcast doorbell", "rowcast"}) {
        INFO(lost);
        writer busy{db};
        REQUIRE(f.becomes(state::quiet));
        const std::string these = "select pg_terminate_backend(pid) from pg_stat_activity where datname = '" + db.name() +
                                  "' and application_name like '" + lost + "'";
        const std::size_t changes = f.got.count<observe::doorbell_changed>();
        REQUIRE_FALSE(db.execute(these).empty());
        REQUIRE(eventually([&] { return f.got.count<observe::doorbell_changed>() > changes; }));
        written += busy.stop();
        f.got.wait_for_changes(written);
        REQUIRE(f.becomes(state::sleeping));
        CHECK(db.execute(holders).empty());
        db.execute("insert into t default values"); // heard, since nobody polls
        f.got.wait_for_changes(++written);
    }
    f.follower.stop();
    CHECK(f.got.changes.size() == written);
}

TEST_CASE("a session that hangs with the key is ended, and the log is looked at until it has")
{
    struct stopped {
        explicit stopped(int which) : process(which) { REQUIRE(::kill(process, SIGSTOP) == 0); }
        ~stopped() { ::kill(process, SIGCONT); }
        const int process;
    };
    const database db{with_rowcast};
    db.execute(watched_table);
    following f{db, never, 500ms};
    writer busy{db};
    REQUIRE(f.becomes(state::quiet));
    std::size_t written = busy.stop();
    f.got.wait_for_changes(written);
    const auto hanging = db.execute(sessions(db, "rowcast doorbell", "pid"))[0][0].as<int>();
    // Not in the middle of something, which could hold up the whole server.
    REQUIRE(eventually([&] { return !db.execute(sessions(db, "rowcast doorbell", "pid") + " and state = 'idle'").empty(); }));
    {
        const stopped for_a_while{hanging};
        // The writers are quiet until it is gone.
        REQUIRE(eventually([&] { return f.got.count<observe::background_failed>() > 0; }));
        CHECK(db.execute(holders).size() == 1);
        db.execute("insert into t default values");
        f.got.wait_for_changes(++written);
        CHECK(f.follower.now().bell == state::letting_go);
    }
    CHECK(f.becomes(state::sleeping));
    CHECK(db.execute(holders).empty());
}

TEST_CASE("under a quiet doorbell nothing that a DBA does waits or fails")
{
    const database db{with_rowcast};
    db.execute(watched_table);
    following f{db};
    writer busy{db};
    REQUIRE(f.becomes(state::quiet));
    pqxx::connection admin{db.connect()};
    pqxx::nontransaction work{admin};
    work.exec("set lock_timeout = '20s'; set statement_timeout = '30s'");
    std::size_t written = 0;
    for (int round = 0; round < 3; ++round) {
        for (const char* const each : {"create index concurrently i on t (id)", "reindex index concurrently i", "analyze t", "vacuum t",
                                       "drop index concurrently i", "alter table t set (fillfactor = 90)", "vacuum full t"}) {
            INFO(each);
            CHECK_NOTHROW(work.exec(each));
        }
        // The writer has not rung, so that it can be prepared.
        work.exec("begin; insert into t default values");
        const bool quiet = f.follower.now().bell == state::quiet;
        if (quiet) {
            CHECK_NOTHROW(work.exec("prepare transaction 'rowcast-" + db.name() + "'"));
            CHECK_NOTHROW(work.exec("commit prepared 'rowcast-" + db.name() + "'"));
            ++written;
        } else {
            work.exec("rollback");
        }
    }
    CHECK(written > 0);
    written += busy.stop();
    f.got.wait_for_changes(written);
    CHECK(f.becomes(state::sleeping));
}

// Filling PostgreSQL's queue takes gigabytes; what it says of itself is enough for those who ask.
TEST_CASE("while the notification queue is half full nobody rings, no commit fails, and polling finds everything")
{
    const database db{with_rowcast};
    db.execute(watched_table);
    following f{db, 100ms};
    pqxx::connection ears{db.connect()};
    listener bell{ears};
    const auto queue_is = [&](const std::string& part) {
        db.execute("create or replace function pg_catalog.pg_notification_queue_usage() returns double precision "
                   "language sql volatile as 'select " + part + "::float8'");
    };
    queue_is("0.6");
    writer busy{db};
    REQUIRE(f.becomes(state::quiet)); // with polling alone the rate is seen all the same
    const std::size_t written = busy.stop();
    f.got.wait_for_changes(written);
    REQUIRE(f.becomes(state::sleeping));
    db.execute("insert into t default values");
    f.got.wait_for_changes(written + 1);
    pqxx::nontransaction(ears).exec("select 1");
    bell.listen();
    CHECK(bell.by_bridges + bell.by_writers == 0);
    queue_is("0.1");
    db.execute("insert into t default values");
    CHECK(eventually([&] {
        bell.listen();
        return bell.by_writers == 1;
    }));
}
