#include "observe/log_sink.hpp"

#include "core/json_scanner.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>

using namespace rowcast::observe;

namespace {

// What a sink writes into a file of memory.
std::string written(level least, log_format format, const std::function<void(log_sink&)>& act)
{
    char* bytes = nullptr;
    std::size_t size = 0;
    std::FILE* file = open_memstream(&bytes, &size);
    REQUIRE(file != nullptr);
    {
        log_sink log{least, format, file};
        act(log);
    }
    std::fclose(file);
    const std::unique_ptr<char, decltype(&std::free)> owner{bytes, std::free};
    return {bytes, size};
}

std::size_t lines_of(const std::string& text)
{
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}

TEST_CASE("a line of text has the time, the level and the sentence")
{
    const std::string text =
        written(level::info, log_format::text, [](log_sink& log) { log(listening{"127.0.0.1", 8080, "clients"}); });
    CHECK_THAT(text,
               Catch::Matches(R"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} info    listening on 127\.0\.0\.1:8080 for clients\n)"));
}

TEST_CASE("a line of JSON is one object with the observation's fields")
{
    const std::string text =
        written(level::info, log_format::json, [](log_sink& log) { log(database_lost{"no\nroute {}", {}}); });
    CHECK(lines_of(text) == 1);
    CHECK_THAT(text, Catch::Contains(R"("level":"warning","event":"database_lost","message":")"));
    CHECK_THAT(text, Catch::Contains(R"("reason":"no\nroute {}","retry_in_ms":0})"));
    rowcast::core::json_scanner scanner{text};
    CHECK(scanner.object([](std::string_view, std::string_view) { return true; }));
    CHECK(scanner.at_end());
}

TEST_CASE("below the level nothing is written, and the level can be changed")
{
    const std::string text = written(level::info, log_format::text, [](log_sink& log) {
        log(session_opened{"sse", "first", "", "unix"});
        log.set(level::debug, log_format::text);
        log(session_opened{"sse", "second", "", "unix"});
    });
    CHECK_THAT(text, !Catch::Contains("first"));
    CHECK_THAT(text, Catch::Contains("second"));
}

TEST_CASE("a client cannot write a line of its own into the log")
{
    const std::string text = written(level::info, log_format::text, [](log_sink& log) {
        log(request_refused{"websocket", "malformed", "x\n2026-01-01 00:00:00.000 error   all is lost"});
    });
    CHECK(lines_of(text) == 1);
}

TEST_CASE("a database that stays away for long does not fill the disk")
{
    const std::string text = written(level::info, log_format::text, [](log_sink& log) {
        for (int i = 0; i < 1000; ++i)
            log(database_lost{"connection refused", {}});
        log(stopped{});
    });
    CHECK(lines_of(text) < 20);
    CHECK_THAT(text, Catch::Contains("stopped"));
}
