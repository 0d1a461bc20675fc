#include "cli/terminal.hpp"

#include <catch2/catch.hpp>

using namespace rowcast::cli;

TEST_CASE("what could move a cursor, hide or reorder text is shown as an escape")
{
    CHECK(printable("a\x1b[2J\r\n\t\x07") == "a\\x1b[2J\\x0d\\n\\t\\x07");
    CHECK(printable("\xc2\x9b"
                    "31m") == "\\u009b31m"); // the one-byte form of ESC [
    CHECK(printable("user\xe2\x80\xae"
                    "gnp.exe") == "user\\u202egnp.exe");
    CHECK(printable("größer, 日本, 🙂") == "größer, 日本, 🙂");
}

TEST_CASE("bytes that are not UTF-8 are shown one by one")
{
    CHECK(printable("a\xff"
                    "b\xc3") == "a\\xffb\\xc3");
    CHECK(printable("\xc0\xaf") == "\\xc0\\xaf");          // an overlong slash
    CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80"); // a surrogate
    CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
}

TEST_CASE("the lines of a message stay lines")
{
    CHECK(printable_lines("refused\nhint: \x1b[31mred") == "refused\nhint: \\x1b[31mred");
}

TEST_CASE("a text's width is that of its characters")
{
    CHECK(display_width("abc") == 3);
    CHECK(display_width("größer") == 6);
    CHECK(display_width("日本") == 4);
    CHECK(display_width("e\xcc\x81") == 1); // e and a combining accent
}

TEST_CASE("a long text is cut between characters")
{
    CHECK(shortened("größer", 6) == "größer");
    CHECK(shortened("größeres", 4) == "grö…");
    CHECK(shortened("日本語", 4) == "日…");
}

TEST_CASE("without colours a painter changes nothing")
{
    CHECK(painter{false}(style::red, "x") == "x");
    CHECK(painter{true}(style::red, "x") == "\x1b[31mx\x1b[0m");
}
