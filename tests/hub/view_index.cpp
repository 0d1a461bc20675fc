#include <catch2/catch.hpp>

#include "hub/view_index.hpp"

#include <algorithm>
#include <deque>

#include "hub/orders.hpp"

namespace rowcast::hub {
namespace {

using namespace orders;

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
