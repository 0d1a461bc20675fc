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
