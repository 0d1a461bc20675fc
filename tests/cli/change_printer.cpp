#include "cli/change_printer.hpp"

#include <catch2/catch.hpp>

#include <deque>
#include <string>

using namespace rowcast;
using cli::change_printer;
using core::operation;

namespace {

core::row row(std::string json)
{
    return json.empty() ? core::row{} : core::row::parse(std::move(json)).value();
}

// Changes of public.orders, with the key `id`.
struct some {
    std::deque<core::change> all;

    some& add(core::transaction_id xid, operation op, std::string after, std::string before = "")
    {
        core::change made;
        made.xid = xid;
        made.where = {all.size() + 1, all.size() + 1};
        made.at = "2026-11-21T10:00:00.123456Z";
        made.op = made.cause = op;
        made.table = "public.orders";
        made.after = row(std::move(after));
        made.before = row(std::move(before));
        all.push_back(std::move(made));
        return *this;
    }

    std::vector<const core::change*> pointers() const
    {
        std::vector<const core::change*> out;
        for (const core::change& each : all)
            out.push_back(&each);
        return out;
    }
};

change_printer printer(std::size_t width = 80)
{
    return change_printer{false, width, [](const std::string&) { return std::vector<std::string>{"id"}; }};
}

}

TEST_CASE("an update shows the key and what changed, old and new")
{
    some changes;
    changes.add(7421, operation::update, R"({"id":42,"status":"paid","total":10.50})",
                R"({"id":42,"status":"open","total":10.50})");
    CHECK(printer().print(changes.pointers()) == "-- transaction 7421, 10:00:00.123\n"
                                                 " UPDATE public.orders\n"
                                                 " id |   status\n"
                                                 "----+-------------\n"
                                                 " 42 | open → paid\n");
}

TEST_CASE("changes of one kind to one table stand in one table, a transaction has one heading")
{
    some changes;
    changes.add(1, operation::insert, R"({"id":1,"note":null})")
        .add(1, operation::insert, R"({"id":2,"note":"x"})")
        .add(2, operation::remove, "", R"({"id":1,"note":null})");
    auto out = printer();
    CHECK(out.print(changes.pointers()) == "-- transaction 1, 10:00:00.123\n"
                                           " INSERT public.orders\n"
                                           " id | note\n"
                                           "----+------\n"
                                           "  1 | null\n"
                                           "  2 | x\n"
                                           "\n"
                                           "-- transaction 2, 10:00:00.123\n"
                                           " DELETE public.orders\n"
                                           " id | note\n"
                                           "----+------\n"
                                           "  1 | null\n");
    some more;
    more.add(2, operation::truncate, "");
    CHECK(out.print(more.pointers()) == " TRUNCATE public.orders\n");
}

TEST_CASE("what a row holds cannot play tricks on a terminal")
{
    some changes;
    changes.add(1, operation::insert, R"({"id":1,"note":"\u001b[2J\nDELETE public.users\u202e"})");
    const std::string text = printer(120).print(changes.pointers());
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK_THAT(text, Catch::Contains(R"(\x1b[2J\nDELETE public.users\u202e)"));
}

TEST_CASE("a message is one line")
{
    core::change made;
    made.xid = 3;
    made.at = "2026-11-21T10:00:00.123456Z";
    made.channel = "room:42";
    made.event = "typing";
    made.payload = R"({"user":7})";
    CHECK(printer().print({&made}) == "-- transaction 3, 10:00:00.123\n"
                                      " MESSAGE room:42 typing {\"user\":7}\n");
}

TEST_CASE("as JSON a change is what a subscriber to everything would receive, digit for digit")
{
    some changes;
    changes.add(9, operation::update, R"({"id":9007199254740993,"n":1.50})", R"({"id":9007199254740993,"n":1.5})");
    CHECK(
        cli::change_json(changes.all[0], {"id"}) ==
        R"({"id":"1","table":"public.orders","op":"UPDATE","cause":"UPDATE","row":{"id":9007199254740993,"n":1.50},)"
        R"("old":{"n":1.5},"changed":["n"],"key":{"id":9007199254740993},"at":"2026-11-21T10:00:00.123456Z","tx":"9"})");
}
