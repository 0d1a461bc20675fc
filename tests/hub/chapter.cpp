#include <catch2/catch.hpp>

#include "hub/chapter.hpp"

#include <random>
#include <string>
#include <thread>

#include "hub/orders.hpp"

namespace rowcast::hub {
namespace {

using namespace orders;
using found = std::vector<std::uint32_t>;

// Of one page.
chapter chapter_of(std::vector<core::change> changes)
{
    core::batch made;
    made.changes = std::move(changes);
    return chapter({std::make_shared<const core::batch>(std::move(made))});
}

found candidates(const chapter& in, const view_spec& view, std::uint32_t from = 0)
{
    found all;
    for (const chapter::place& each : in.candidates(view, {0, from}, {1, 0})) {
        all.push_back(each.ordinal);
    }
    return all;
}

view_spec of_owner(int owner)
{
    return seen_through(equals("owner_id", {core::number{std::to_string(owner)}, {}}));
}

std::string order(std::size_t id, int owner, const std::string& status)
{
    return R"({"id":)" + std::to_string(id) + R"(,"owner_id":)" + (owner == 0 ? "null" : std::to_string(owner)) + R"(,"status":")" + status + "\"}";
}

core::change message_on(std::string channel)
{
    core::change made;
    made.channel = std::move(channel);
    made.payload = "{}";
    return made;
}

std::string say(const core::change&, const policy::effect*)
{
    return "{}";
}

} // namespace

TEST_CASE("Of a page, a view with an equality meets the changes to and from its value")
{
    std::vector<core::change> changes;
    for (int owner = 1; owner <= 1000; ++owner) {
        changes.push_back(update(order(1, owner, "a"), order(1, owner + 1, "a")));
    }
    const chapter page = chapter_of(changes);
    CHECK(candidates(page, of_owner(1)) == found{0});
    CHECK(candidates(page, of_owner(500)) == found{498, 499});
    CHECK(candidates(page, of_owner(500), 499) == found{499});
    CHECK(candidates(page, of_owner(500), 500).empty());
    CHECK(candidates(page, of_owner(2000)).empty());
    CHECK(candidates(page, seen_through({core::object{}, {}}), 997) == found{997, 998, 999}); // every row
}

TEST_CASE("No change of a page that a view shows is missed, whatever the changes and whoever has asked before")
{
    std::mt19937 random(GENERATE(1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U));
    const auto some_order = [&](std::size_t id) { return order(id, static_cast<int>(random() % 8), std::string(1, static_cast<char>('a' + random() % 4))); };
    std::vector<core::change> changes;
    for (std::size_t i = 0; i < 200; ++i) {
        core::change made = update(some_order(i), some_order(i));
        const auto kind = random() % 12;
        if (kind < 3) {
            made.op = made.cause = core::operation::insert;
            made.before = {};
        } else if (kind < 6) {
            made.op = made.cause = core::operation::remove;
            made.after = {};
        } else if (kind == 6) {
            made.truncated = true;
            made.before = row(R"({"id":)" + std::to_string(i) + "}");
            made.after = row(R"({"id":)" + std::to_string(i) + "}");
        } else if (kind == 7) {
            made.op = made.cause = random() % 2 == 0 ? core::operation::truncate : core::operation::resync;
            made.before = made.after = {};
        } else if (kind == 8) {
            made = message_on(random() % 2 == 0 ? "news" : "other");
        } else if (kind == 9) {
            made.table = "public.others";
        }
        changes.push_back(std::move(made));
    }
    std::vector<view_spec> views{{view_spec::channel{"news"}}, seen_through({core::object{}, {}}),
                                 seen_through(equals("status", equals("in", {core::list{text("a"), text("c")}, {}}))),
                                 seen_through(equals("status", equals("neq", text("b")))),
                                 seen_through({core::object{{"owner_id", {core::number{"3"}, {}}}, {"status", text("d")}}, {}})};
    for (int owner = 1; owner < 10; ++owner) {
        views.push_back(of_owner(owner));
    }
    std::shuffle(views.begin(), views.end(), random);
    const chapter page = chapter_of(changes);
    const auto look = [&] {
        for (const view_spec& view : views) {
            for (const std::uint32_t from : {0U, 77U}) {
                const found those = candidates(page, view, from);
                REQUIRE(std::is_sorted(those.begin(), those.end()));
                REQUIRE(std::adjacent_find(those.begin(), those.end()) == those.end());
                REQUIRE((those.empty() || those.front() >= from));
                for (std::uint32_t i = from; i < changes.size(); ++i) {
                    if (see(view, changes[i], i, &say)) {
                        REQUIRE(std::binary_search(those.begin(), those.end(), i));
                    }
                }
            }
        }
    };
    look();
    look();
}

TEST_CASE("Of many pages a view meets the changes of those between two places")
{
    std::vector<core::batch_ptr> pages;
    for (std::uint32_t page = 0; page < 50; ++page) {
        core::batch made;
        for (int i = 0; i < 3; ++i) {
            const int owner = i == 1 ? 1 : 2 + static_cast<int>(page);
            made.changes.push_back(update(order(page, owner, "a"), order(page, owner, "b")));
        }
        pages.push_back(std::make_shared<const core::batch>(std::move(made)));
    }
    const chapter past(pages);
    using places = std::vector<chapter::place>;
    CHECK(past.candidates(of_owner(1), {0, 0}, {50, 0}).size() == 50);
    CHECK(past.candidates(of_owner(1), {7, 1}, {9, 1}) == places{{7, 1}, {8, 1}});
    CHECK(past.candidates(of_owner(1), {7, 2}, {9, 2}) == places{{8, 1}, {9, 1}});
    CHECK(past.candidates(of_owner(9), {0, 0}, {50, 0}) == places{{7, 0}, {7, 2}});
    CHECK(past.candidates(of_owner(9), {7, 1}, {50, 0}) == places{{7, 2}});
    CHECK(past.candidates(of_owner(9), {8, 0}, {50, 0}).empty());
    CHECK(past.candidates(seen_through({core::object{}, {}}), {48, 2}, {50, 0}) == places{{48, 2}, {49, 0}, {49, 1}, {49, 2}});
}

TEST_CASE("A view of more values than there are changes looks at each of them")
{
    const chapter page = chapter_of({update(order(1, 1, "a"), order(1, 1, "b")), update(order(2, 2, "a"), order(2, 2, "b"))});
    const auto of_owners = [](std::initializer_list<const char*> owners) {
        core::list values;
        for (const char* each : owners) {
            values.push_back({core::number{each}, {}});
        }
        return seen_through(equals("owner_id", equals("in", {std::move(values), {}})));
    };
    CHECK(candidates(page, of_owners({"2", "3"})) == found{1});
    CHECK(candidates(page, of_owners({"3", "4"})).empty());
    CHECK(candidates(page, of_owners({"3", "4", "5"})) == found{0, 1});
}

TEST_CASE("A chapter indexes a few columns and no more; who filters by another still finds everything")
{
    policy::table wide{"public.orders", {{"id", "bigint", policy::type_family::integer}}, {"id"}, true};
    std::string json = R"({"id":1)";
    for (int i = 0; i < 10; ++i) {
        wide.columns.push_back({"c" + std::to_string(i), "integer", policy::type_family::integer});
        json += ",\"c" + std::to_string(i) + "\":7";
    }
    const auto over = std::make_shared<const policy::table>(wide);
    const chapter page = chapter_of({update(json + "}", json + "}"), update(R"({"id":2})", R"({"id":2})")});
    std::size_t narrow = 0;
    for (int i = 0; i < 10; ++i) {
        policy::rules all;
        all.tables["public.orders"].push_back({{}, policy::predicate::parse(equals("c" + std::to_string(i), {core::number{"7"}, {}}), true).value(), std::nullopt, {}});
        const view_spec view{std::make_shared<const policy::visibility>(policy::authorize(all, over, policy::identity{}, {}).value())};
        const found those = candidates(page, view);
        REQUIRE(those == candidates(page, view)); // the limit is no question of the moment
        REQUIRE((those == found{0} || those == found{0, 1}));
        narrow += those == found{0} ? 1 : 0;
    }
    CHECK(narrow == 8);
}

TEST_CASE("A chapter tells a view of the changes that its subscriber's rights hang on, and of all where they are superseded")
{
    const auto definition = std::make_shared<const policy::set_definition>();
    const auto plan = std::make_shared<const policy::set_plan>(policy::set_plan{{"members", "user_id", 0, policy::type_family::integer}});
    const auto mine = std::make_shared<const policy::set_value>(policy::set_call{definition, {"5"}}, 1, plan, std::vector<std::string>{}, false);
    view_spec view = of_owner(1);
    view.sets.push_back(mine);
    core::change joined;
    joined.op = joined.cause = core::operation::insert;
    joined.table = "members";
    joined.after = row(R"({"user_id":5})");
    core::change other = joined;
    other.after = row(R"({"user_id":6})");
    const chapter page = chapter_of({update(order(1, 1, "a"), order(1, 1, "b")), other, joined, update(order(1, 2, "a"), order(1, 2, "b"))});
    CHECK(candidates(page, view) == found{0, 2});
    mine->supersede();
    CHECK(candidates(page, view, 1) == found{1, 2, 3});
}

TEST_CASE("Many threads may ask a chapter at once")
{
    std::vector<core::change> changes;
    for (int owner = 0; owner < 500; ++owner) {
        changes.push_back(update(order(1, owner + 1, "a"), order(1, owner + 1, "b")));
    }
    const chapter page = chapter_of(changes);
    std::vector<std::size_t> right(4);
    {
        std::vector<std::jthread> threads;
        for (std::size_t thread = 0; thread < right.size(); ++thread) {
            threads.emplace_back([&, thread] {
                for (int owner = 1; owner <= 500; ++owner) {
                    right[thread] += candidates(page, of_owner(owner)) == found{static_cast<std::uint32_t>(owner - 1)} ? 1 : 0;
                }
            });
        }
    }
    CHECK(right == std::vector<std::size_t>(right.size(), 500));
}

} // namespace rowcast::hub
