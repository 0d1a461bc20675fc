#include "sql/captured.hpp"
#include "support/eventually.hpp"

using namespace rowcast::test;
using rowcast::support::database;
using rowcast::support::with_rowcast;

namespace {

// Listens on `rowcast`, and hears everything that was rung before `heard` is asked.
class listener : pqxx::notification_receiver {
public:
    explicit listener(pqxx::connection& connection)
        : pqxx::notification_receiver{connection, "rowcast"}
    {
    }

    void operator()(const std::string& payload, int) override { payloads_.push_back(payload); }

    /// Rings a last time by itself: what it has not heard when that arrives was never rung.
    lines heard()
    {
        {
            pqxx::nontransaction work{conn()};
            work.exec("notify rowcast, 'end'");
        }
        rowcast::support::eventually([&] {
            conn().get_notifs();
            return !payloads_.empty() && payloads_.back() == "end";
        });
        payloads_.pop_back();
        return std::exchange(payloads_, {});
    }

private:
    lines payloads_;
};

constexpr auto advisory_locks =
    "select from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())";

constexpr auto doorbell_key = "(select lock_class from rowcast.settings), (select lock_key from rowcast.settings)";

}

TEST_CASE("a committed change rings with its table and operation, equal ones of a transaction once")
{
    const database db{with_rowcast};
    db.execute("create table \"Odd \"\"T\" (id int primary key, v int); select rowcast.watch('\"Odd \"\"T\"', notify => true)");
    pqxx::connection ears{db.connect()};
    listener bell{ears};
    db.execute(R"(begin; insert into "Odd ""T" values (1); insert into "Odd ""T" values (2); update "Odd ""T" set v = 1; commit)");
    CHECK(bell.heard()
          == lines{R"({"table":"public.\"Odd \"\"T\"","op":"INSERT"})", R"({"table":"public.\"Odd \"\"T\"","op":"UPDATE"})"});
    db.execute(R"(truncate "Odd ""T")");
    CHECK(bell.heard() == lines{R"({"table":"public.\"Odd \"\"T\"","op":"TRUNCATE"})"});
}

TEST_CASE("what is rolled back, changes no row, or was watched with notify => false does not ring")
{
    const database db{with_rowcast};
    db.execute(R"(create table t (id int primary key); select rowcast.watch('t', notify => true);
                  create table silent (id int primary key); select rowcast.watch('silent', notify => false))");
    pqxx::connection ears{db.connect()};
    listener bell{ears};
    db.execute("begin; insert into t values (1); rollback");
    db.execute("delete from t");
    db.execute("insert into silent values (1)");
    CHECK(bell.heard().empty());
    CHECK(captured(db).size() == 1);
}

TEST_CASE("nobody rings while a bridge holds the key, and everybody again when it is gone")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key); select rowcast.watch('t', notify => true)");
    pqxx::connection ears{db.connect()};
    listener bell{ears};
    {
        pqxx::connection bridge{db.connect()};
        {
            pqxx::nontransaction work{bridge};
            REQUIRE(work.exec(std::string("select pg_try_advisory_lock(") + doorbell_key + ")")[0][0].as<bool>());
        }
        db.execute("insert into t values (1)");
        db.execute("select rowcast.publish('room', 'hello', '1')");
        CHECK(bell.heard().empty());
        CHECK(captured(db).size() == 2);
    }
    REQUIRE(rowcast::support::eventually([&] { return db.execute(advisory_locks).empty(); }));
    db.execute("insert into t values (2)");
    CHECK(bell.heard() == lines{R"({"table":"public.t","op":"INSERT"})"});
}

TEST_CASE("a writer keeps no advisory lock, so that a bridge can take the key while its transaction is open")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key); select rowcast.watch('t', notify => true)");
    pqxx::connection writer{db.connect()};
    pqxx::work open{writer};
    open.exec("insert into t values (1)");
    CHECK(db.execute(advisory_locks).empty());
    CHECK(db.execute(std::string("select pg_try_advisory_lock(") + doorbell_key + ")")[0][0].as<bool>());
    open.exec("insert into t values (2)");
    CHECK_NOTHROW(open.commit());
}

TEST_CASE("a table watched with notify => false does not touch the key")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key); select rowcast.watch('t', notify => false)");
    CHECK(std::string(db.execute("select prosrc from pg_proc where proname = 'capture_1'")[0][0].c_str()).find("advisory") == std::string::npos);
}
