#include "policy/predicate_sql.hpp"

#include "policy/calendar.hpp"
#include "policy/given.hpp"

#include <catch2/catch.hpp>

using namespace rowcast;
using namespace rowcast::tests;
using policy::type_family;

namespace {

const auto orders = std::make_shared<const policy::table>(policy::table{"public.orders",
                                                                        {{"id", "bigint", type_family::bigint},
                                                                         {"owner_id", "integer", type_family::integer},
                                                                         {"odd \"one\"", "text", type_family::text},
                                                                         {"total", "numeric(10,2)", type_family::numeric},
                                                                         {"due", "date", type_family::date},
                                                                         {"mood", "mood", type_family::enumeration},
                                                                         {"paid", "boolean", type_family::boolean}},
                                                                        {"id"}});

using columns = std::optional<std::vector<std::string>>;

policy::rule rule(std::string_view where, columns given = {})
{
    return {{"customer"}, rule_predicate(where), std::move(given), {}};
}

policy::sql_text sql(std::vector<policy::rule> rules, std::string_view filtered = "{}", std::string_view claims = "{}")
{
    policy::rules all;
    all.tables["public.orders"] = std::move(rules);
    return condition_sql(policy::authorize(all, orders, user(claims), {filter(filtered), {}, false}).value());
}

// One parameter, an array in braces.
std::string text(const policy::sql_parameter& parameter)
{
    if (const auto* value = std::get_if<std::string>(&parameter)) {
        return *value;
    }
    std::string all;
    for (const auto& each : std::get<1>(parameter)) {
        all += (all.empty() ? "{" : "|") + each.value_or("NULL");
    }
    return all + "}";
}

std::string only(const policy::sql_text& made)
{
    REQUIRE(made.parameters.size() == 1);
    return text(made.parameters.front());
}

} // namespace

TEST_CASE("a user who sees everything has no condition")
{
    const auto made = sql({{{"customer"}, {}, {}, {}}});
    CHECK(made.text == "((true)) and (true)");
    CHECK(made.parameters.empty());
}

TEST_CASE("values are parameters of the column's plain type, names are quoted")
{
    const auto made = sql({rule(R"({"odd \"one\"": "it's; drop table orders"})")});
    CHECK(made.text == R"sql((("odd ""one""" = any ($1::text[]))) and (true))sql");
    CHECK(only(made) == "{it's; drop table orders}");
    CHECK(only(sql({rule(R"({"total": {"gte": 12.50}})")})) == "0.125e2");
    CHECK(only(sql({rule(R"({"total": {"lt": -0.05}})")})) == "-0.5e-1");
    CHECK(only(sql({rule(R"({"due": {"lt": "2026-11-21"}})")})) == "2026-11-21");
    CHECK(sql({rule(R"({"mood": {"neq": "sad"}})")}).text == R"sql((("mood"::text <> all ($1::text[]))) and (true))sql");
}

TEST_CASE("integers keep their column's width, so that its index serves")
{
    CHECK(sql({rule(R"({"id": {"lt": 9223372036854775807}})")}).text.find("$1::bigint)") != std::string::npos);
    CHECK(sql({rule(R"({"owner_id": {"lt": 7}})")}).text.find("$1::integer)") != std::string::npos);
}

TEST_CASE("null among the values stays there, and a missing claim is null")
{
    CHECK(only(sql({rule(R"({"id": {"nin": [2, null, 1]}})")})) == "{1|2|NULL}");
    CHECK(sql({rule(R"({"id": "$claims.sub"})")}).text == "((null::boolean)) and (true)");
    CHECK(only(sql({rule(R"({"owner_id": "$claims.sub"})")}, "{}", R"({"sub": "7"})")) == "{7}");
}

TEST_CASE("groups keep their logic")
{
    CHECK(sql({rule(R"({"or": [{"id": null}, {"paid": {"is": true}}]})")}).text ==
          R"sql(((("id" is null) or ("paid" is true))) and (true))sql");
    CHECK(sql({rule(R"({"not": {"id": null, "paid": {"is": "unknown"}}})")}).text.find("not ((") != std::string::npos);
}

TEST_CASE("what a filter may not read by some grant counts only through the grants that give it")
{
    const auto made = sql({rule(R"({"owner_id": 1})", {{"id", "total"}}), rule(R"({"owner_id": 2})", {{"id", "paid"}})},
                          R"({"total": {"gt": 5}})");
    CHECK(made.text == R"sql((("owner_id" = any ($2::integer[])) or ("owner_id" = any ($3::integer[]))) and )sql"
                       R"sql((("owner_id" = any ($2::integer[]))) and ("total" > $1::numeric))sql");
    CHECK(made.parameters.size() == 3);
}

TEST_CASE("dates and moments are written as they are read")
{
    for (const char* each : {"2026-11-21", "2000-02-29", "1999-12-31", "0001-01-01", "0001-12-31 BC", "0044-03-15 BC",
                             "4714-11-24 BC", "5874897-12-31", "infinity", "-infinity"}) {
        CHECK(policy::write_date(policy::read_date(each).value()) == each);
    }
    for (const char* each : {"2026-11-21 10:00:00.000001+00", "1999-12-31 23:59:59.999999+00",
                             "0044-03-15 12:00:00.000000+00 BC", "294276-12-31 23:59:59.999999+00", "infinity"}) {
        CHECK(policy::write_timestamp(policy::read_timestamptz(each).value()) == each);
    }
}
