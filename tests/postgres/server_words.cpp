#include "postgres/server_words.hpp"

#include <catch2/catch.hpp>

using namespace rowcast::postgres;

TEST_CASE("PostgreSQL's DETAIL and HINT are found in libpq's text, and the place in the statement is left out")
{
    const auto words =
        read_words("ERROR:  first\nsecond\nLINE 1: select\n        ^\nDETAIL:  why,\nand why\nHINT:  do this\n"
                   "QUERY:  select\nCONTEXT:  PL/pgSQL function f()\nHINT-less\n");
    CHECK(words.severity == "ERROR");
    CHECK(words.message == "first\nsecond");
    CHECK(words.detail == "why,\nand why");
    CHECK(words.hint == "do this");
}

TEST_CASE("words that have not PostgreSQL's form are the message")
{
    CHECK(read_words("server closed the connection unexpectedly\n\tThis probably means:  x\n").message ==
          "server closed the connection unexpectedly\n\tThis probably means:  x");
    CHECK(read_words("").message.empty());
    CHECK(read_words("FEHLER:  Relation fehlt\n").severity == "FEHLER");
    CHECK(notice_text(read_words("without a severity")) == "without a severity");
    CHECK(notice_text(read_words("WARNING:  w\nHINT:  h\n")) == "WARNING: w\n  hint: h");
}

TEST_CASE("a PostgreSQL that is too old is refused with what to do")
{
    CHECK_THROWS_WITH(
        check_server_version(120022, "12.22", "h:5432/d as user u"),
        Catch::StartsWith("h:5432/d as user u runs PostgreSQL 12.22; rowcast needs 13 or later. Upgrade"));
    CHECK_NOTHROW(check_server_version(130000, "13.0", "h:5432/d as user u"));
    CHECK_NOTHROW(check_server_version(190001, "19.1", "h:5432/d as user u"));
}
