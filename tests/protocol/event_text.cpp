#include "protocol/event_text.hpp"

#include <catch2/catch.hpp>

#include "support/result.hpp"

#include "protocol/json.hpp"

using namespace rowcast;

namespace {

core::change orders(core::operation op)
{
    core::change change;
    change.where = {983, 981};
    change.xid = 7421;
    change.at = "2026-11-21T10:00:00.123456Z";
    change.op = change.cause = op;
    change.table = "public.orders";
    return change;
}

} // namespace

TEST_CASE("an update is worded with its row, old values, changed columns and key", "[protocol]")
{
    policy::effect seen;
    seen.op = core::operation::update;
    seen.row = {{"id", "42"}, {"total", "1.50"}, {"status", R"("paid")"}};
    seen.old = {{{"status", R"("open")"}}};
    seen.changed = {{"status"}};
    seen.key = {{"id", "42"}};
    CHECK(protocol::event_text(orders(core::operation::update), &seen) ==
          R"("id":"981","table":"public.orders","op":"UPDATE","cause":"UPDATE","row":{"id":42,"total":1.50,"status":"paid"},)"
          R"("old":{"status":"open"},"changed":["status"],"key":{"id":42},"at":"2026-11-21T10:00:00.123456Z","tx":"7421"})");
}

TEST_CASE("a row that leaves the view is a DELETE whose cause is the UPDATE, and has no row", "[protocol]")
{
    policy::effect seen;
    seen.op = core::operation::remove;
    seen.key = {{"id", "9007199254740993"}};
    CHECK(protocol::event_text(orders(core::operation::update), &seen) ==
          R"("id":"981","table":"public.orders","op":"DELETE","cause":"UPDATE","key":{"id":9007199254740993},)"
          R"("at":"2026-11-21T10:00:00.123456Z","tx":"7421"})");
}

TEST_CASE("a truncated row comes with its key and the mark", "[protocol]")
{
    policy::effect seen;
    seen.truncated = true;
    seen.key = {{R"(Odd "key")", "1"}};
    CHECK(protocol::event_text(orders(core::operation::insert), &seen) ==
          R"("id":"981","table":"public.orders","op":"INSERT","cause":"INSERT","key":{"Odd \"key\"":1},"truncated":true,)"
          R"("at":"2026-11-21T10:00:00.123456Z","tx":"7421"})");
}

TEST_CASE("a TRUNCATE has neither row nor key", "[protocol]")
{
    CHECK(protocol::event_text(orders(core::operation::truncate), nullptr) ==
          R"("id":"981","table":"public.orders","op":"TRUNCATE","cause":"TRUNCATE","at":"2026-11-21T10:00:00.123456Z","tx":"7421"})");
}

TEST_CASE("a message has its channel, event and payload", "[protocol]")
{
    core::change change = orders(core::operation::message);
    change.channel = "room:42";
    change.event = "typing";
    change.payload = R"({"user": 7})";
    CHECK(protocol::event_text(change, nullptr) ==
          R"("id":"981","channel":"room:42","event":"typing","payload":{"user": 7},"at":"2026-11-21T10:00:00.123456Z","tx":"7421"})");
    CHECK(protocol::parse_json("{" + protocol::event_text(change, nullptr)));
}
