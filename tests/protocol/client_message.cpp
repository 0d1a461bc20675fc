#include "protocol/client_message.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace rowcast;
using namespace rowcast::protocol;
using core::error_code;

namespace {

template <class Message>
Message read(const std::string& text)
{
    auto parsed = parse_client_message(text);
    if (const auto* bad = std::get_if<bad_message>(&parsed)) {
        FAIL(bad->why.message);
    }
    return std::get<Message>(std::get<client_message>(std::move(parsed)));
}

bad_message refuse(const std::string& text)
{
    auto parsed = parse_client_message(text);
    INFO(text);
    REQUIRE(std::holds_alternative<bad_message>(parsed));
    return std::get<bad_message>(std::move(parsed));
}

} // namespace

TEST_CASE("a subscription to a table is read with all its members", "[protocol]")
{
    const auto wanted = read<subscribe_message>(R"({"type":"subscribe","id":"o","table":"public.orders",
        "events":["INSERT","DELETE"],"where":{"status":{"in":["open","paid"]}},"columns":["id","status"],"old":true,
        "snapshot":false,"after":"abc"})").wanted;
    CHECK(wanted.id == "o");
    CHECK(wanted.after == "abc");
    CHECK_FALSE(wanted.snapshot);
    const auto& to = std::get<wish::table>(wanted.to);
    CHECK(to.name == "public.orders");
    CHECK(to.events == std::set{core::operation::insert, core::operation::remove});
    CHECK(to.wanted.columns == std::vector<std::string>{"id", "status"});
    CHECK(to.wanted.old);
    CHECK_FALSE(to.wanted.where.always());
}

TEST_CASE("the other messages are read", "[protocol]")
{
    CHECK(std::get<wish::channel>(read<subscribe_message>(R"({"type":"subscribe","id":"r","channel":"room:42"})").wanted.to).name ==
          "room:42");
    CHECK(read<unsubscribe_message>(R"({"type":"unsubscribe","id":"o"})").id == "o");
    CHECK(read<auth_message>(R"({"type":"auth","token":"a.b.c"})").token == "a.b.c");
    CHECK(read<ping_message>(R"({"type":"ping","id":12345678901234567890123})").id == "12345678901234567890123");
    CHECK(read<ping_message>(R"({"type":"ping","id":"x\"y"})").id == R"("x\"y")");
    CHECK(read<ping_message>(R"({"type":"ping"})").id.empty());
}

TEST_CASE("what is no message at all is malformed", "[protocol]")
{
    const std::string text = GENERATE(as<std::string>(), "", "hello", "[]", "1", R"({"type":"ping")", R"({"type":"ping","type":"auth"})");
    CHECK(refuse(text).why.code == error_code::malformed);
}

TEST_CASE("an unknown type or member is refused by name, with the nearest valid word", "[protocol]")
{
    auto bad = refuse(R"({"type":"subcribe","id":"o"})");
    CHECK(bad.why.code == error_code::unknown_type);
    CHECK(bad.why.message.find("did you mean 'subscribe'?") != std::string::npos);
    CHECK(bad.id == "o");

    CHECK(refuse(R"({"id":"o"})").why.code == error_code::unknown_type);
    CHECK(refuse(R"({"type":7})").why.code == error_code::unknown_type);

    bad = refuse(R"({"type":"subscribe","id":"o","table":"public.orders","wehre":{}})");
    CHECK(bad.why.code == error_code::unknown_member);
    CHECK(bad.why.message.find("'wehre'; did you mean 'where'?") != std::string::npos);
    CHECK(bad.id == "o");

    CHECK(refuse(R"({"type":"subscribe","id":"o","tabel":"public.orders"})").why.message.find("did you mean 'table'?") !=
          std::string::npos);
    CHECK(refuse(R"({"type":"subscribe","id":"r","channel":"c","where":{}})").why.code == error_code::unknown_member);
    CHECK(refuse(R"({"type":"unsubscribe","id":"o","x":1})").why.code == error_code::unknown_member);
    CHECK(refuse(R"({"type":"auth","token":"a","id":"1"})").why.code == error_code::unknown_member);
    CHECK(refuse(R"({"type":"ping","ID":1})").why.code == error_code::unknown_member);
}

TEST_CASE("members of a wrong kind or size are bad requests", "[protocol]")
{
    const std::string text = GENERATE(
        as<std::string>(), R"({"type":"subscribe","table":"public.orders"})", R"({"type":"subscribe","id":"","table":"t"})",
        R"({"type":"subscribe","id":7,"table":"t"})", R"({"type":"subscribe","id":"o"})",
        R"({"type":"subscribe","id":"o","table":"t","channel":"c"})", R"({"type":"subscribe","id":"o","table":"t","events":[]})",
        R"({"type":"subscribe","id":"o","table":"t","events":["TRUNCATE"]})",
        R"({"type":"subscribe","id":"o","table":"t","events":"INSERT"})",
        R"({"type":"subscribe","id":"o","table":"t","columns":["a","a"]})",
        R"({"type":"subscribe","id":"o","table":"t","columns":[1]})", R"({"type":"subscribe","id":"o","table":"t","old":1})",
        R"({"type":"subscribe","id":"o","table":"t","after":null})",
        R"({"type":"unsubscribe"})", R"({"type":"auth"})", R"({"type":"ping","id":{}})");
    INFO(text);
    CHECK(refuse(text).why.code == error_code::bad_request);
    CHECK(refuse(R"({"type":"unsubscribe","id":")" + std::string(129, 'x') + "\"}").why.code == error_code::bad_request);
}

TEST_CASE("a bad filter is a bad_filter of its subscription", "[protocol]")
{
    const auto bad = refuse(R"({"type":"subscribe","id":"o","table":"t","where":{"status":{"eqq":"open"}}})");
    CHECK(bad.why.code == error_code::bad_filter);
    CHECK(bad.id == "o");
    CHECK(refuse(R"({"type":"subscribe","id":"o","table":"t","where":{"owner":"$claims.sub"}})").why.code == error_code::bad_filter);
}

TEST_CASE("an error quotes whole characters only", "[protocol]")
{
    std::string word;
    for (int i = 0; i < 100; ++i) {
        word += "é";
    }
    const auto bad = refuse(R"({"type":"x)" + word + R"("})");
    CHECK(bad.why.message.find("\xc3...") == std::string::npos);
    CHECK(bad.why.message.find("é...'") != std::string::npos);
    // Nor does a filter's, which the policy words.
    for (const std::string& name : {word, "x" + word}) {
        for (const std::string& where : {R"({")" + name + R"(":[]})", R"({"a":{")" + name + R"(":1}})", R"({"a":"$claims.)" + name + R"("})"}) {
            const auto message = refuse(R"({"type":"subscribe","id":"o","table":"t","where":)" + where + "}").why.message;
            CHECK(message.find("\xc3...") == std::string::npos);
            CHECK(message.find("é...") != std::string::npos);
        }
    }
}
