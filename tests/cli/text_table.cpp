#include "cli/text_table.hpp"

#include <catch2/catch.hpp>

using namespace rowcast::cli;

namespace {

const painter plain{false};

text_table small()
{
    text_table table{{"id", "name"}};
    table.add({{"7", style::plain, true}, {"größer"}});
    table.add({{"4200", style::plain, true}, {"b"}});
    return table;
}

}

TEST_CASE("a table is aligned as psql aligns it, numbers to the right")
{
    CHECK(small().print(plain, 80) == "  id  |  name\n"
                                      "------+--------\n"
                                      "    7 | größer\n"
                                      " 4200 | b\n");
}

TEST_CASE("a table that is wider than the terminal has a line a value")
{
    CHECK(small().print(plain, 12) == "-[ 1 ]----\n"
                                      " id   | 7\n"
                                      " name | größer\n"
                                      "-[ 2 ]----\n"
                                      " id   | 4200\n"
                                      " name | b\n");
}

TEST_CASE("colours do not count for the width")
{
    text_table table{{"a"}};
    table.add({{"x", style::red}});
    CHECK(table.print(painter{true}, 6).find("\x1b[31mx\x1b[0m") != std::string::npos);
    CHECK(table.print(painter{true}, 6).find("|") == std::string::npos);
}
