#include <catch2/catch.hpp>

#include "hub/view_index.hpp"

#include <algorithm>
#include <deque>

#include "policy/rules.hpp"

namespace rowcast::hub {
namespace {

const auto orders = std::make_shared<const policy::table>(policy::table{
    "public.orders",
    {{"id", "bigint", policy::type_family::integer}, {"owner_id", "integer", policy::type_family::integer}, {"status", "text", policy::type_family::text}},
    {"id"},
    true});

core::value text(std::string word)
{
    return {std::move(word), {}};
}

// A view of whoever may see rows by the rule `where`.
view_spec seen_through(core::value where)
{
    policy::rules all;
    all.tables["public.orders"].push_back({{}, policy::predicate::parse(where, true).value(), std::nullopt, {}});
    return {std::make_shared<const policy::visibility>(policy::authorize(all, orders, policy::identity{}, {}).value())};
}

core::value equals(std::string column, core::value operand)
{
    return {core::object{{std::move(column), std::move(operand)}}, {}};
}

core::row row(std::string json)
{
    return core::row::parse(std::move(json)).value();
}

struct index_of {
    view_index index;
    std::deque<view> views;

    void add(view_spec spec)
    {
        views.push_back({views.size() + 1, std::move(spec), 1, 0});
        index.add(views.back());
    }
    std::vector<view_id> candidates(const core::change& change)
    {
        std::vector<view_id> found;
        index.candidates(change, [&](const view& each) { found.push_back(each.id); });
        std::sort(found.begin(), found.end());
        return found;
    }
};

core::change update(std::string before, std::string after)
{
    core::change made;
    made.op = made.cause = core::operation::update;
    made.table = "public.orders";
    made.before = row(std::move(before));
    made.after = row(std::move(after));
    return made;
}

} // namespace

TEST_CASE("Of many views with an equality, a change meets those of its old and its new value, each once")
{
    index_of views;
    for (int owner = 1; owner <= 1000; ++owner) {
        views.add(seen_through(equals("owner_id", {core::number{std::to_string(owner)}, {}})));
    }
    views.add(seen_through({core::object{}, {}})); // every row
    const auto moved = update(R"({"id":1,"owner_id":7,"status":"a"})", R"({"id":1,"owner_id":9,"status":"a"})");
    REQUIRE(views.candidates(moved) == std::vector<view_id>{7, 9, 1001});
    const auto stayed = update(R"({"id":1,"owner_id":7,"status":"a"})", R"({"id":1,"owner_id":7,"status":"b"})");
    REQUIRE(views.candidates(stayed) == std::vector<view_id>{7, 1001});
    views.index.remove(views.views[6]);
    REQUIRE(views.candidates(stayed) == std::vector<view_id>{1001});
}

TEST_CASE("A view of several values is found by each of them")
{
    index_of views;
    views.add(seen_through(equals("status", equals("in", {core::list{text("open"), text("paid")}, {}}))));
    REQUIRE(views.candidates(update(R"({"id":1,"status":"new"})", R"({"id":1,"status":"paid"})")) == std::vector<view_id>{1});
    REQUIRE(views.candidates(update(R"({"id":1,"status":"open"})", R"({"id":1,"status":"paid"})")) == std::vector<view_id>{1});
    REQUIRE(views.candidates(update(R"({"id":1,"status":"new"})", R"({"id":1,"status":null})")).empty());
}

TEST_CASE("A truncated row, a TRUNCATE and a RESYNC meet every view of their table")
{
    index_of views;
    views.add(seen_through(equals("owner_id", {core::number{"1"}, {}})));
    views.add(seen_through(equals("owner_id", {core::number{"2"}, {}})));
    core::change large = update(R"({"id":1})", R"({"id":1})");
    large.truncated = true;
    core::change emptied;
    emptied.op = core::operation::truncate;
    emptied.table = "public.orders";
    core::change again = emptied;
    again.op = core::operation::resync;
    for (const core::change* each : {&large, &emptied, &again}) {
        REQUIRE(views.candidates(*each) == std::vector<view_id>{1, 2});
    }
    emptied.table = "public.others";
    REQUIRE(views.candidates(emptied).empty());
}

} // namespace rowcast::hub
