#include "observe/words.hpp"

#include <catch2/catch.hpp>

using namespace rowcast::observe;

TEST_CASE("a lost database is a warning that says when the next try is")
{
    const line said = describe(database_lost{"connection refused", std::chrono::milliseconds{1830}});
    CHECK(said.level == level::warn);
    CHECK(said.event == "database_lost");
    CHECK(said.text == "no connection to PostgreSQL (connection refused); trying again in 1.8 s. Clients stay "
                       "connected and miss nothing.");
}

TEST_CASE("an IPv6 address is bracketed before its port")
{
    CHECK(describe(listening{"::1", 8080, "clients"}).text == "listening on [::1]:8080 for clients");
    CHECK(describe(listening{"127.0.0.1", 8080, "clients"}).text == "listening on 127.0.0.1:8080 for clients");
}

TEST_CASE("what happens for each event is counted and not worded")
{
    CHECK(describe(events_sent{"sse", 3, 100}).event.empty());
    CHECK(describe(batch_read{}).event.empty());
}

TEST_CASE("sessions are said at debug: there may be a hundred thousand of them")
{
    CHECK(describe(session_opened{"sse", "s1", "", "unix"}).level == level::debug);
    CHECK(describe(session_opened{"sse", "s1", "", "192.0.2.1"}).text == "session s1 opened over sse by anonymous from 192.0.2.1");
}

TEST_CASE("where is listened is written as it is configured")
{
    CHECK(describe(listening{"127.0.0.1", 8080, "clients"}).text == "listening on 127.0.0.1:8080 for clients");
    CHECK(describe(listening{"::1", 8080, "clients"}).text == "listening on [::1]:8080 for clients");
    CHECK(describe(listening{"/run/rowcast.sock", 0, "clients"}).text == "listening on unix:/run/rowcast.sock for clients");
}

TEST_CASE("the fields of a line are JSON texts")
{
    const line said = describe(request_refused{"websocket", "malformed", "a \"quote\"\n"});
    REQUIRE(said.fields.size() == 3);
    CHECK(said.fields[2].second == R"("a \"quote\"\n")");
    CHECK(describe(listening{"::1", 8080, "clients"}).fields[1].second == "8080");
}

TEST_CASE("control characters are made visible")
{
    CHECK(printable("a\nb\x1b[2Jc\x7f") == "a\\nb\\x1b[2Jc\\x7f");
    CHECK(printable("größer {} %v") == "größer {} %v");
}

TEST_CASE("a rule that does not fit the database is said with its place and what follows from it")
{
    const line said = describe(rule_misfit{"line 12", "public.orders has no column 'regoin'", true});
    CHECK(said.level == level::error);
    CHECK(said.text == "line 12: public.orders has no column 'regoin'. Until then the rule gives nothing.");
    CHECK(describe(rule_misfit{"", "public.orders has no rules", false}).level == level::warn);
}
