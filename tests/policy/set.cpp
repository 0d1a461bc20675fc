#include "policy/set.hpp"
#include "policy/given.hpp"

#include <catch2/catch.hpp>

using namespace rowcast;
using namespace rowcast::tests;
using policy::type_family;

namespace {

using texts = std::vector<std::string>;

const auto messages = std::make_shared<const policy::table>(policy::table{
    "public.messages", {{"id", "integer", type_family::integer}, {"room", "numeric", type_family::numeric},
                           {"mood", "mood", type_family::enumeration, type_family::other, false, {"sad", "happy"}}}, {"id"}, true});

policy::set_definition_ptr definition(const std::string& name, std::string_view claim = "sub")
{
    policy::set_definition made;
    made.name = name;
    made.query = "select room from members where user_id = $1";
    made.parameters.emplace_back(
        policy::predicate::reference{policy::predicate::reference::kind::claims, {std::string(claim)}});
    made.watch = {"public.members"};
    return std::make_shared<const policy::set_definition>(std::move(made));
}

const auto by_user = std::make_shared<const policy::set_plan>(
    policy::set_plan{{"public.members", "user_id", 0, type_family::integer}});
const auto by_nothing = std::make_shared<const policy::set_plan>(policy::set_plan{{"public.members", "", 0, {}}});

policy::set_value_ptr value(texts values, bool null = false, const std::string& user = "7", std::uint64_t version = 1,
                            const std::shared_ptr<const policy::set_plan>& plan = by_user)
{
    return std::make_shared<const policy::set_value>(policy::set_call{definition("rooms"), {user}}, version, plan,
                                                     std::move(values), null);
}

policy::bound_predicate bound(std::string_view where, const policy::set_value_ptr& rooms)
{
    policy::identity who = user("{}");
    if (rooms) {
        who.sets.emplace("rooms", rooms);
    }
    return policy::bound_predicate::bind(rule_predicate(where), *messages, &who).value();
}

policy::truth holds(std::string_view where, const policy::set_value_ptr& rooms, std::string_view candidate)
{
    return bound(where, rooms).evaluate(row(candidate));
}

constexpr auto in_mine = R"({"room": {"in": "$sets.rooms"}})";
constexpr auto not_in_mine = R"({"room": {"nin": "$sets.rooms"}})";

std::unordered_set<std::size_t> found(const policy::set_index& index, const core::change& change)
{
    std::unordered_set<std::size_t> all;
    index.find(change, all);
    return all;
}

} // namespace

TEST_CASE("a set's members are compared as values of the column's type")
{
    const auto rooms = value({"1", "2.50"});
    CHECK(holds(in_mine, rooms, R"({"room": 1.0})") == policy::truth::yes);
    CHECK(holds(in_mine, rooms, R"({"room": 2.5})") == policy::truth::yes);
    CHECK(holds(in_mine, rooms, R"({"room": 3})") == policy::truth::no);
    CHECK(holds(in_mine, rooms, R"({"room": null})") == policy::truth::unknown);
    CHECK(holds(not_in_mine, rooms, R"({"room": 3})") == policy::truth::yes);
    CHECK(bound(in_mine, rooms).indexable()->values.size() == 2);
}

TEST_CASE("nulls in a set, and members that are no values of the column's type, make its conditions unknown")
{
    for (const auto& rooms : {value({"1"}, true), value({"1", "lobby"})}) {
        CHECK(holds(in_mine, rooms, R"({"room": 1})") == policy::truth::yes);
        CHECK(holds(in_mine, rooms, R"({"room": 3})") == policy::truth::unknown);
        CHECK(holds(not_in_mine, rooms, R"({"room": 3})") == policy::truth::unknown);
    }
}

TEST_CASE("so does what is no label of the column's type")
{
    const auto moods = value({"sad", "angry"});
    CHECK(holds(R"({"mood": {"in": "$sets.rooms"}})", moods, R"({"mood": "sad"})") == policy::truth::yes);
    CHECK(holds(R"({"mood": {"nin": "$sets.rooms"}})", moods, R"({"mood": "happy"})") == policy::truth::unknown);
    CHECK(holds(R"({"mood": {"nin": "$sets.rooms"}})", value({"sad"}), R"({"mood": "happy"})") == policy::truth::yes);
}

TEST_CASE("an empty set has no members, and one that is not there gives nothing either way")
{
    CHECK(holds(in_mine, value({}), R"({"room": 1})") == policy::truth::no);
    CHECK(holds(not_in_mine, value({}), R"({"room": 1})") == policy::truth::yes);
    CHECK(holds(in_mine, nullptr, R"({"room": 1})") == policy::truth::unknown);
    CHECK(holds(not_in_mine, nullptr, R"({"room": 1})") == policy::truth::unknown);
}

TEST_CASE("a predicate's text names the set and its version, whatever it holds")
{
    const auto first = value({"1", "2"}, false, "7", 1);
    const auto second = value({"1", "2"}, false, "7", 2);
    CHECK(bound(in_mine, first).text() == bound(in_mine, first).text());
    CHECK(bound(in_mine, first).text() != bound(in_mine, second).text());
    texts many;
    for (int i = 0; i < 10'000; ++i) {
        many.push_back(std::to_string(i));
    }
    CHECK(bound(in_mine, value(many)).text().size() < 100);
}

TEST_CASE("which sets a user needs follows from the rules that are for them")
{
    policy::rules all;
    all.sets.emplace("rooms", definition("rooms"));
    all.sets.emplace("teams", definition("teams", "team"));
    all.tables["public.messages"] = {{{"member"}, rule_predicate(in_mine), {}, {}},
                                     {{"guest"}, rule_predicate(R"({"room": {"in": "$sets.teams"}})"), {}, {}},
                                     {{"admin"}, {}, {}, {}}};
    all.channels.emplace_back("room:*", all.tables["public.messages"]);

    const auto needed = [&](std::string_view claims, texts roles) {
        texts names;
        for (const auto& each : needed_sets(all, "public.messages", user(claims, roles))) {
            names.push_back(each.of->name + "(" + each.arguments.front() + ")");
        }
        CHECK(names.size() == needed_sets_of_channel(all, "room:1", user(claims, roles)).size());
        return names;
    };
    CHECK(needed(R"({"sub": "7"})", {"member"}) == texts{"rooms(7)"});
    CHECK(needed(R"({"sub": 7, "team": true})", {"member", "guest"}) == texts{"rooms(7)", "teams(true)"});
    CHECK(needed(R"({"sub": ["7"]})", {"member"}).empty());
    CHECK(needed("{}", {"member"}).empty());
    CHECK(needed(R"({"sub": "7"})", {"member", "admin"}).empty());
    CHECK(needed(R"({"sub": "7"})", {}).empty());
    CHECK(needed_sets(all, "public.other", user(R"({"sub": "7"})", {"member"})).empty());
    CHECK(needed_sets_of_channel(all, "other", user(R"({"sub": "7"})", {"member"})).empty());
}

TEST_CASE("a change concerns those sets whose parameter the row's column equals")
{
    policy::set_index index;
    index.add(*value({}, false, "7"), 7);
    index.add(*value({}, false, "8"), 8);
    index.add(*value({}, false, "9", 1, by_nothing), 9);
    using numbers = std::unordered_set<std::size_t>;

    const auto joined = inserted(R"({"user_id": 7, "room": 1})", "public.members");
    const auto handed_over = updated(R"({"user_id": 7, "room": 1})", R"({"user_id": 8, "room": 1})", "public.members");
    CHECK(found(index, joined) == numbers{7, 9});
    CHECK(found(index, handed_over) == numbers{7, 8, 9});
    CHECK(found(index, deleted(R"({"user_id": 6, "room": 1})", "public.members")) == numbers{9});
    CHECK(found(index, inserted(R"({"user_id": 7})", "public.others")).empty());
    CHECK(value({}, false, "7")->may_be_changed_by(joined));
    CHECK(value({}, false, "8")->may_be_changed_by(handed_over));
    CHECK_FALSE(value({}, false, "8")->may_be_changed_by(joined));
    CHECK(value({}, false, "8", 1, by_nothing)->may_be_changed_by(joined));

    for (const auto operation : {core::operation::truncate, core::operation::resync}) {
        core::change all;
        all.op = operation;
        all.table = "public.members";
        CHECK(found(index, all) == numbers{7, 8, 9});
        CHECK(value({})->may_be_changed_by(all));
    }
    auto too_large = inserted(R"({"id": 1})", "public.members");
    CHECK(found(index, too_large) == numbers{7, 8, 9}); // the column is not there
    too_large.truncated = true;
    CHECK(found(index, too_large) == numbers{7, 8, 9});

    const auto keys = policy::set_keys(*by_user, {"7"});
    index.remove(*by_user, keys, 7);
    CHECK(found(index, joined) == numbers{9});
    CHECK(index.tables() == texts{"public.members"});
}
