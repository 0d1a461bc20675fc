#include "protocol/server_message.hpp"

#include <catch2/catch.hpp>

#include "protocol/problem.hpp"

using namespace rowcast;
using namespace rowcast::protocol;

TEST_CASE("the server's messages are worded as the contract says", "[protocol]")
{
    using std::chrono::milliseconds;
    CHECK(welcome("s1", "c1", milliseconds(25'000)) ==
          R"({"type":"welcome","session":"s1","cursor":"c1","heartbeat":25,"server":"rowcast/0.1.0"})");
    CHECK(welcome("s1", "", milliseconds(250)) == R"({"type":"welcome","session":"s1","heartbeat":0.25,"server":"rowcast/0.1.0"})");
    CHECK(authenticated(1763720000) == R"({"type":"authenticated","expires":1763720000})");
    CHECK(authenticated({}) == R"({"type":"authenticated"})");
    CHECK(expiring(30) == R"({"type":"expiring","in":30})");
    CHECK(subscribed("o", "live", {}, "c") == R"({"type":"subscribed","id":"o","status":"live","cursor":"c"})");
    CHECK(subscribed("o", "reset", core::error_code::cursor_expired, "c") ==
          R"({"type":"subscribed","id":"o","status":"reset","reason":"cursor_expired","cursor":"c"})");
    CHECK(cursor_moved("c") == R"({"type":"cursor","cursor":"c"})");
    CHECK(resync("o\"", "permissions_changed") == R"({"type":"resync","id":"o\"","reason":"permissions_changed"})");
    CHECK(unsubscribed("o") == R"({"type":"unsubscribed","id":"o"})");
    CHECK(pong("1") == R"({"type":"pong","id":1})");
    CHECK(pong("") == R"({"type":"pong"})");
    CHECK(goodbye("shutdown", milliseconds(1830)) == R"({"type":"goodbye","reason":"shutdown","reconnect_ms":1830})");
    CHECK(error("o", {core::error_code::forbidden, "no"}) == R"({"type":"error","id":"o","code":"forbidden","message":"no"})");
    CHECK(error("", {core::error_code::token_missing, ""}) ==
          R"({"type":"error","code":"token_missing","message":"A token is required."})");
}

TEST_CASE("a changes message is assembled from shared texts", "[protocol]")
{
    changes_message both("", "c9", 0);
    both.add({std::vector<std::string_view>{"o", "p"}, R"("id":"1"})"});
    both.add({std::vector<std::string_view>{"o"}, R"("id":"2"})"});
    CHECK(both.finish(false) ==
          R"({"type":"changes","cursor":"c9","events":[{"subs":["o","p"],"id":"1"},{"subs":["o"],"id":"2"}],"more":false})");

    changes_message none("o", "c9", 0);
    CHECK(none.finish(true) == R"({"type":"changes","id":"o","cursor":"c9","events":[],"more":true})");

    changes_message last("o", "c9", 100);
    CHECK(last.finish(false, true) == R"({"type":"changes","id":"o","cursor":"c9","events":[],"more":false,"live":true})");
}

TEST_CASE("an HTTP error is a problem with its code", "[protocol]")
{
    CHECK(problem({core::error_code::cursor_expired, "read \"again\""}) ==
          R"({"type":"urn:rowcast:error:cursor_expired","title":"The change log no longer reaches back to the cursor.",)"
          R"("status":410,"detail":"read \"again\"","code":"cursor_expired"})");
}
