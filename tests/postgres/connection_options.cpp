#include "postgres/connection_options.hpp"

#include "postgres/database_error.hpp"

#include <catch2/catch.hpp>

using namespace rowcast::postgres;
using Catch::Contains;

TEST_CASE("a URL that cannot be read is refused without what may be the password")
{
    try {
        conninfo({.url = "postgresql://u:p\"hidden\"@[::1/db"});
        FAIL("it was accepted");
    } catch (const connection_lost& error) {
        CHECK_THAT(error.what(), Contains("the database URL cannot be read") &&
                                     Contains("postgresql://user:password@host:5432/database"));
        CHECK_THAT(error.what(), !Contains("hidden"));
    }
}

TEST_CASE("what the URL says holds, and only the encoding is ours")
{
    const std::string text = conninfo(
        {.url = "postgresql://u:it%27s%5C@h:7/d?connect_timeout=9&client_encoding=LATIN1", .purpose = "o'clock"});
    CHECK_THAT(text, Contains("fallback_application_name='o\\'clock'") && Contains("password='it\\'s\\\\'"));
    CHECK(text.rfind("connect_timeout='9'") > text.find("connect_timeout='5'"));
    CHECK(text.rfind("client_encoding='UTF8'") > text.find("client_encoding='LATIN1'"));
    CHECK(place_of("postgresql://u:secret@h:7/d") == "h:7/d as user u");
    CHECK(place_of("host=a,b port=1,2 user=u") == "a,b:1,2/u as user u");
}
