#include "config/expectations.hpp"
#include "config/given.hpp"
#include "support/manual.hpp"

#include <catch2/catch.hpp>

#include <iterator>
#include <map>

using namespace rowcast;
using namespace rowcast::tests;
using policy::type_family;

namespace {

const policy::catalog watched = [] {
    policy::catalog made;
    made.tables["public.orders"] =
        std::make_shared<const policy::table>(policy::table{"public.orders",
                                                            {{"id", "integer", type_family::integer},
                                                             {"owner_id", "integer", type_family::integer},
                                                             {"status", "text", type_family::text},
                                                             {"note", "text", type_family::text}},
                                                            {"id"},
                                                            true});
    return made;
}();

const std::string rules = R"(
tables:
  public.orders:
    - {roles: [customer], where: {owner_id: $claims.sub}, columns: [id, status]}
    - {roles: [admin]}
channels:
  "room:*": [{roles: [member], where: {channel: {in: $claims.rooms}}}]
expectations:
)";

std::string told(const std::string& expectations, const policy::catalog* tables = &watched)
{
    std::string all;
    for (const config::disappointment& each : config::hold(valid(rules + expectations), tables)) {
        all += (all.empty() ? "" : "\n") + to_string(each.what, "f");
    }
    return all;
}

const std::string customer = "  - {user: {sub: '7', roles: [customer]}, table: public.orders, ";

} // namespace

TEST_CASE("an expectation that is met says nothing, with a database and without")
{
    const std::string met = customer + "row: {id: 1, owner_id: 7, status: open}, sees: [status, id]}\n" + customer +
                            "row: {id: 1, owner_id: 8}, sees: nothing}\n" + customer +
                            "change: {old: {id: 1, owner_id: 8}, new: {id: 1, owner_id: 7}}, gets: INSERT, sees: [id, status]}\n" +
                            customer + "change: {old: {id: 1, owner_id: 7, status: a}, new: {id: 1, owner_id: 7, status: a, note: b}}, gets: nothing}\n" +
                            customer + "change: {old: {id: 1, owner_id: 7}}, gets: DELETE}\n"
                            "  - {user: {roles: admin}, table: public.orders, row: {id: 1}, sees: row}\n"
                            "  - {table: public.orders, row: {id: 1}, sees: nothing}\n"
                            "  - {user: {roles: member, rooms: ['room:1']}, channel: 'room:1', sees: true}\n"
                            "  - {user: {roles: member, rooms: ['room:1']}, channel: 'room:2', sees: nothing}\n";
    CHECK(told(met) == "");
    CHECK(told(met, nullptr) == "");
}

TEST_CASE("an expectation says what the sets hold, and needs no database for it")
{
    const auto of_rooms = [](const std::string& given) {
        const std::string text = "sets: {rooms: {query: select 1, watch: [public.t]}}\n"
                                 "channels: {\"room:*\": [{where: {channel: {in: $sets.rooms}}}]}\n"
                                 "expectations:\n  - {channel: 'room:1', " + given + "}\n";
        std::string all;
        for (const config::disappointment& each : config::hold(valid(text), nullptr)) {
            all += each.what.message;
        }
        return all;
    };
    CHECK(of_rooms("sets: {rooms: ['room:1']}, sees: true") == "");
    CHECK(of_rooms("sees: nothing") == "");
    CHECK(contains(of_rooms("sets: {rooms: ['room:1']}, sees: nothing"), "and they see it"));
    CHECK(contains(of_rooms("sets: {room: []}, sees: nothing"), "did you mean 'rooms'?"));
    CHECK(contains(of_rooms("sets: {rooms: a}, sees: nothing"), "a list of plain values"));
}

TEST_CASE("an expectation that is not met is told with its place, what was expected and what is so")
{
    CHECK(told(customer + "row: {id: 1, owner_id: 7}, sees: [id]}") ==
          "f:9:98: error: expected the user to see id, and they see id, status");
    CHECK(told(customer + "row: {id: 1, owner_id: 8}, sees: [id, status]}") ==
          "f:9:98: error: expected the user to see id, status, and they see nothing");
    CHECK(contains(told(customer + "row: {id: 1, owner_id: 7}, sees: row}"),
                   "expected the user to see the whole row, and they see id, status"));
    CHECK(contains(told(customer + "change: {old: {id: 1, owner_id: 7}, new: {id: 1, owner_id: 8}}, gets: UPDATE}"),
                   "expected the user to get UPDATE, and they get DELETE"));
    CHECK(contains(told("  - {user: {roles: member}, channel: 'room:1', sees: true}"),
                   "expected the user to see the channel, and they see nothing"));
    const auto found = config::hold(valid(rules + customer + "row: {id: 1, owner_id: 8}, sees: row}"), &watched);
    REQUIRE(found.size() == 1);
    REQUIRE(found[0].why);
    CHECK(found[0].why->reason == "no rule for this user holds");
}

TEST_CASE("an expectation that cannot be asked is told")
{
    CHECK(contains(told(customer + "row: {id: 1, statsu: open}, sees: row}"), "did you mean 'status'?"));
    CHECK(contains(told(customer + "row: {id: seven}, sees: row}"), "is not an integer"));
    CHECK(contains(told("  - {table: public.order, row: {id: 1}, sees: row}"), "did you mean 'public.orders'?"));
    CHECK(contains(told(customer + "change: {old: {id: 1}, new: {id: 2}}, gets: UPDATE}"), "a DELETE and an INSERT"));
    CHECK(contains(told("  - {user: {roles: 5}, table: public.orders, row: {id: 1}, sees: row}"), "neither a role nor a list"));
}

TEST_CASE("an expectation that is not well written is refused when the file is read")
{
    const auto wrong = [](const std::string& item) { return problems("expectations:\n  - " + item); };
    CHECK(contains(wrong("{table: public.t, sees: row}"), "expectations[0].row or `change` says which row"));
    CHECK(contains(wrong("{row: {id: 1}, sees: row}"), "expectations[0].table or `channel`"));
    CHECK(contains(wrong("{table: public.t, row: {id: 1}}"), "expectations[0].sees is missing"));
    CHECK(contains(wrong("{table: public.t, row: {id: 1}, sees: nothin}"), "not 'nothin'"));
    CHECK(contains(wrong("{table: public.t, row: {id: 1}, sees: row, gets: INSERT}"), "is for a `change`"));
    CHECK(contains(wrong("{table: public.t, change: {new: {id: 1}}, gets: INSRT}"), "did you mean 'INSERT'?"));
    CHECK(contains(wrong("{table: public.t, change: {news: {id: 1}}, gets: INSERT}"), "did you mean 'new'?"));
    CHECK(contains(wrong("{channel: a, row: {id: 1}, sees: true}"), "has no rows"));
    CHECK(contains(wrong("{channel: a, sees: [id]}"), "takes true or `nothing`"));
    CHECK(contains(wrong("{tabel: public.t, row: {id: 1}, sees: row}"), "did you mean 'table'?"));
    CHECK(contains(wrong("{user: 7, table: public.t, row: {id: 1}, sees: row}"), "takes the claims of a token"));
}

TEST_CASE("without a database, what hangs on the columns' types is left open and said")
{
    const std::string text = "tables: {public.t: [{where: {at: {gte: 2026-01-01}}}]}\nexpectations:\n"
                             "  - {table: public.t, row: {id: 1, at: {a: 1}}, sees: row}\n";
    const auto found = config::hold(valid(text), nullptr);
    REQUIRE(found.size() == 1);
    CHECK(to_string(found[0].what, "f") ==
          "f:3:5: warning: cannot be decided without the database, which knows the columns' types");
}

TEST_CASE("the manual's expectations are met by the manual's rules")
{
    const std::map<std::string, std::string> secret{{"JWT_SECRET", "0123456789abcdef0123456789abcdef"}};
    auto file = valid(support::yaml_example("docs/configuration.md", "expectations:"));
    REQUIRE(file.expectations.size() == 4);
    for (const char* example : {"database:", "channels:", "sets:"}) {
        auto more = valid(support::yaml_example("docs/configuration.md", example), secret);
        file.rules.tables.merge(more.rules.tables);
        file.rules.sets.merge(more.rules.sets);
        std::move(more.rules.channels.begin(), more.rules.channels.end(), std::back_inserter(file.rules.channels));
    }
    policy::catalog tables;
    tables.tables["public.orders"] =
        std::make_shared<const policy::table>(policy::table{"public.orders",
                                                            {{"id", "bigint", type_family::bigint},
                                                             {"owner_id", "integer", type_family::integer},
                                                             {"status", "text", type_family::text},
                                                             {"total", "numeric", type_family::numeric},
                                                             {"notes", "text", type_family::text},
                                                             {"updated_at", "timestamptz", type_family::timestamptz}},
                                                            {"id"},
                                                            true});
    const auto told = [&](const policy::catalog* against) {
        std::string all;
        for (const config::disappointment& each : config::hold(file, against)) {
            all += to_string(each.what, "docs/configuration.md") + "\n";
        }
        return all;
    };
    CHECK(told(&tables) == "");
    CHECK(told(nullptr) == "");
    CHECK(config::misspelt_roles(file).empty());
    // They would notice.
    for (policy::rule& each : file.rules.tables.at("public.orders")) {
        each.roles = {"nobody"};
    }
    file.rules.channels.clear();
    CHECK(config::hold(file, &tables).size() == 3);
}

TEST_CASE("a role that no rule is for is told where one is called almost the same")
{
    const std::string mistaken = "  - {user: {sub: '7', roles: [admin, custmer]}, table: public.orders, row: {id: 1}, sees: row}\n"
                                 "  - {user: {sub: '7', roles: [guest]}, table: public.orders, row: {id: 1}, sees: nothing}\n"
                                 "  - {user: {roles: membre}, channel: 'room:1', sees: nothing}\n"
                                 "  - {table: public.orders, row: {id: 1}, sees: nothing}\n";
    const auto found = config::misspelt_roles(valid(rules + mistaken));
    REQUIRE(found.size() == 2);
    CHECK(to_string(found[0], "f") == "f:9:38: warning: no rule is for the role 'custmer'; did you mean 'customer'?");
    CHECK_THAT(found[1].message, Catch::Contains("'membre'; did you mean 'member'?"));
}
