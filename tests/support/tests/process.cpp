#include "support/process.hpp"

#include <catch2/catch.hpp>

#include <csignal>

using rowcast::support::process;
using namespace std::chrono_literals;

TEST_CASE("a process's lines are read as they come, in both directions")
{
    process cat{{"cat"}};
    cat.write("one\ntwo");
    CHECK(cat.read_line() == "one");
    cat.close_input();
    CHECK(cat.read_line() == "two");
    CHECK(cat.read_line() == std::nullopt);
    CHECK(cat.wait() == 0);
}

TEST_CASE("a process's status, errors and signals are told apart")
{
    process failing{{"sh", "-c", "echo $GREETING; echo bad >&2; exit 3"}, {"GREETING=hello"}};
    CHECK(failing.line_with("hell") == "hello");
    CHECK(failing.error_rest() == "bad");
    CHECK(failing.wait() == 3);

    process sleeping{{"sleep", "100"}};
    CHECK(sleeping.running());
    CHECK_THROWS_WITH(sleeping.wait(1ms), Catch::Contains("did not end"));
    CHECK_THROWS_WITH(sleeping.line_with("dream", 1ms), Catch::Contains("in time"));
    sleeping.signal(SIGTERM);
    CHECK(sleeping.wait() == 128 + SIGTERM);

    CHECK_THROWS_WITH((process{{"/no/such/program"}}), Catch::Contains("cannot start /no/such/program"));
}

TEST_CASE("a process that writes more than a pipe holds does not block")
{
    process loud{{"sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x >&2; echo done"}};
    CHECK(loud.line_with("done") == "done");
    CHECK(loud.error_rest().size() == 3'000'000);
}
