#include "cli/interruption.hpp"

#include <catch2/catch.hpp>
#include <unistd.h>

using rowcast::cli::interruption;
using namespace std::chrono_literals;

TEST_CASE("a signal that has come is told again and again, and does not end the program")
{
    interruption stop{{SIGTERM}};
    CHECK(stop.wait(0ms) == std::nullopt);
    ::kill(::getpid(), SIGTERM);
    CHECK(stop.wait(1s) == SIGTERM);
    CHECK(stop.wait(0ms) == SIGTERM);
    CHECK_THROWS_AS(stop.pause(0ms), rowcast::cli::interrupted);
}
