#include "postgres/connection.hpp"

#include "support/database.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <thread>

using namespace rowcast::postgres;
using namespace std::chrono_literals;
using Catch::Contains;
using rowcast::support::database;

namespace {

template <class Act>
std::string refusal(Act act)
{
    try {
        act();
    } catch (const std::exception& error) {
        return error.what();
    }
    return "nothing was refused";
}

std::string connecting(const std::string& url)
{
    return refusal([&] { connection{{.url = url}}; });
}

} // namespace

TEST_CASE("a connection that is refused says where, why and what to do, and never the password")
{
    const database db;
    const auto at = db.tcp_url().find('@');
    const std::string host_and_database = db.tcp_url().substr(at);

    const std::string wrong = connecting("postgresql://postgres:s3cret" + host_and_database);
    CHECK_THAT(wrong, Contains("127.0.0.1") && Contains(db.name()) && Contains("password authentication failed") &&
                          Contains("The user name or the password in the URL is wrong") && !Contains("s3cret"));
    CHECK_THAT(connecting(rowcast::support::with_database(db.url(), "no_such_db")),
               Contains("There is no such database"));
    CHECK_THAT(connecting("postgresql://postgres:s3cret@127.0.0.1:1/x"),
               Contains("Is PostgreSQL running there") && !Contains("s3cret"));
    CHECK_THAT(connecting("postgresql://u:s3cret@[::1/x"), Contains("cannot be read") && !Contains("s3cret"));
    CHECK_THAT(connecting("postgres//u:s3cret@h/x"), Contains("cannot be read") && !Contains("s3cret"));
    CHECK_THAT(connecting("postgresql://u:s3%zzcret@h/x"), Contains("cannot be read") && !Contains("s3%"));
}

TEST_CASE("limits that a DBA sets to idle sessions and long transactions of applications do not end the bridge's")
{
    const database db;
    db.execute("do $$ declare s text; begin for s in select name from pg_settings "
               "where name in ('idle_session_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout') "
               "loop execute format('alter database %I set %I = %L', current_database(), s, '1s'); end loop; end $$");
    connection on{{.url = db.url()}};
    on.run_script("begin");
    CHECK(on.execute("select name from pg_settings where name ~ '^(idle|transaction).*timeout$' and setting <> '0'")
              .empty());
    CHECK_NOTHROW(on.execute("select pg_sleep(1.2)"));
    CHECK_NOTHROW(on.run_script("commit"));
}

TEST_CASE("a refused statement leaves the connection as good as new, and passes PostgreSQL's detail and hint on")
{
    const database db;
    connection on{{.url = db.url(), .read_only = false}};
    on.execute("create table public.t (x int primary key)");
    const std::string twice = refusal([&] { on.execute("insert into public.t values (1), (1)"); });
    CHECK_THAT(twice, Contains("duplicate key") && Contains("detail: Key (x)=(1) already exists"));
    CHECK_THAT(
        refusal([&] { on.execute("do $$ begin raise 'no' using hint = 'try yes', detail = 'said no'; end $$"); }),
        Contains("no\ndetail: said no\nhint: try yes") && Contains("SQLSTATE P0001"));
    CHECK_THAT(refusal([&] { on.execute("select rowcast.version()"); }), Contains("rowcast install"));
    CHECK_THAT(refusal([&] { on.execute("copy (select 1) to stdout"); }), Contains("COPY"));
}

TEST_CASE("values arrive as they are, and wrong indexes are refused")
{
    const database db;
    connection on{{.url = db.url()}};
    const std::vector<std::string> odd{"a", "", "NULL", "x,y", "{q\"\\}", "ä\n"};
    const rows got =
        on.execute("select $1::text[], null::text, 7::bigint, true, $2::text", {to_array(odd), std::nullopt});
    CHECK(got.list(0, 0) == odd);
    CHECK(got.is_null(0, 1));
    CHECK(got.is_null(0, 4));
    CHECK(got.number(0, 2) == 7);
    CHECK(got.truth(0, 3));
    CHECK_THROWS_AS(got.text(1, 0), std::out_of_range);
    CHECK_THROWS_AS(got.text(0, 5), std::out_of_range);
    CHECK_THROWS_AS(got.number(0, 3), database_error);
    CHECK(on.execute("show search_path").text(0, 0) == "pg_catalog");
    CHECK(on.execute("show timezone").text(0, 0) == "UTC");
    CHECK(on.execute("show application_name").text(0, 0) == "rowcast");
    CHECK_THAT(refusal([&] { on.execute("create table public.t ()"); }), Contains("read-only"));
    CHECK_FALSE(on.pooled());
}

TEST_CASE("an answer that does not come in time is a lost connection, on whichever side it hangs")
{
    const database db;
    connection on{{.url = db.url(), .statement_timeout = 400ms}};
    CHECK_THAT(refusal([&] { on.execute("select pg_sleep(60)"); }),
               Contains("canceling statement due to statement timeout"));
    CHECK(on.execute("select 1").number(0, 0) == 1);

    REQUIRE(::kill(on.backend(), SIGSTOP) == 0);
    const auto before = std::chrono::steady_clock::now();
    CHECK_THROWS_AS(on.execute("select 1"), connection_lost);
    CHECK(std::chrono::steady_clock::now() - before < 5s);
    ::kill(on.backend(), SIGCONT);
}

TEST_CASE("a blocked call ends when it is stopped")
{
    const database db;
    event stop;
    connection on{{.url = db.url()}, &stop};
    std::thread stopper{[&] {
        const database other;
        other.execute("select 1"); // some time
        stop.set();
    }};
    CHECK_THROWS_AS(on.execute("select pg_sleep(60)"), interrupted);
    stopper.join();
}

TEST_CASE("a session that the server ends is a lost connection, also while it only waits")
{
    const database db;
    connection on{{.url = db.url()}};
    event wake;
    db.execute("select pg_terminate_backend(" + std::to_string(on.backend()) + ")");
    // The farewell first, then the end.
    CHECK_THROWS_AS((on.wait(20s, wake), on.wait(20s, wake)), connection_lost);
}

TEST_CASE("rows come one by one, and the rest can be skipped")
{
    const database db;
    connection on{{.url = db.url()}};
    on.begin("select n, repeat('x', 1000) from generate_series(1, $1::int) n", {"50000"});
    for (unsigned n = 1; n <= 10; ++n) {
        CHECK(on.next_row()->number(0, 0) == n);
    }
    on.skip_rows();
    CHECK_FALSE(on.next_row());
    CHECK(on.execute("select 1").number(0, 0) == 1);
    on.begin("select 1 / (3 - n) from generate_series(1, 5) n");
    CHECK(on.next_row());
    CHECK(on.next_row());
    CHECK_THROWS_AS(on.next_row(), database_error);
    CHECK(on.execute("select 1").number(0, 0) == 1);
}
