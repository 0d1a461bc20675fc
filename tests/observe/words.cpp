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
    CHECK(describe(session_closed{"sse", "s1", "ann", 0, "ended"}).text == "session s1 of ann over sse closed: 0 ended");
}

TEST_CASE("who is refused is said where it is known")
{
    const line known = describe(request_refused{"websocket", "forbidden", "no rule", "s1", "ann", "192.0.2.1"});
    CHECK(known.text == "refused a request over websocket in session s1 by ann from 192.0.2.1: forbidden (no rule)");
    CHECK(known.fields[3] == std::pair<std::string_view, std::string>("session", R"("s1")"));
    CHECK(known.fields[4] == std::pair<std::string_view, std::string>("subject", R"("ann")"));
    CHECK(known.fields[5] == std::pair<std::string_view, std::string>("from", R"("192.0.2.1")"));
    CHECK(describe(request_refused{"tcp", "too_many_connects", "too many"}).text == "refused a request over tcp: too_many_connects (too many)");
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

TEST_CASE("a set that stumbles over a value is told with PostgreSQL's name for it, and what to do")
{
    CHECK(describe(set_misfit{"rooms", "22012"}).text.find("the set 'rooms' gives nothing where its query meets a value that PostgreSQL cannot take: "
                                                           "SQLSTATE 22012, division_by_zero. It is a claim") == 0);
    CHECK(describe(set_misfit{"rooms", "22023"}).text.find("SQLSTATE 22023. It is") != std::string::npos);
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
