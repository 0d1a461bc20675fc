#include "policy/given.hpp"

#include <catch2/catch.hpp>

using namespace rowcast;
using namespace rowcast::tests;
using core::error_code;
using policy::type_family;

namespace {

using names = std::vector<std::string>;

const auto users = std::make_shared<const policy::table>(policy::table{"public.users",
                                                                       {{"id", "integer", type_family::integer},
                                                                        {"name", "text", type_family::text},
                                                                        {"salary", "integer", type_family::integer}},
                                                                       {"id"},
                                                                       true});

policy::rule rule(names roles, std::string_view where = "{}", std::optional<names> columns = {})
{
    return {std::move(roles), rule_predicate(where), std::move(columns), {}};
}

policy::rules of_users(std::vector<policy::rule> given)
{
    policy::rules all;
    all.tables["public.users"] = std::move(given);
    return all;
}

struct request {
    std::string where = "{}";
    std::optional<names> columns = {};
};

std::optional<core::failure> refusal(const policy::rules& all, const policy::identity& who, const request& wanted = {})
{
    const auto given = policy::authorize(all, users, who, {filter(wanted.where), wanted.columns, false});
    return given ? std::nullopt : std::optional(given.error());
}

const policy::identity member = user("{}", {"member"});
const policy::identity anonymous = user("{}", {"anonymous"});

} // namespace

TEST_CASE("nobody sees a table without a rule for one of their roles")
{
    CHECK(refusal({}, member)->code == error_code::forbidden);
    CHECK(refusal(of_users({}), member)->code == error_code::forbidden);
    CHECK(refusal(of_users({rule({"admin"})}), member)->code == error_code::forbidden);
    CHECK_FALSE(refusal(of_users({rule({"admin", "member"})}), member));
    CHECK_FALSE(refusal(of_users({rule({})}), anonymous));
    CHECK_FALSE(refusal(of_users({rule({})}), user("{}", {})));
}

TEST_CASE("columns that no rule gives can neither be read nor filtered by")
{
    const auto all = of_users({rule({}, "{}", names{"id", "name"}), rule({"admin"})});
    CHECK(refusal(all, member, {"{}", names{"salary"}})->code == error_code::forbidden_column);
    CHECK(refusal(all, member, {R"({"not": {"or": [{"name": "a"}, {"salary": 1}]}})"})->code ==
          error_code::forbidden_column);
    CHECK(refusal(all, member, {R"({"salary": {"in": []}})"})->code == error_code::forbidden_column);
    CHECK_FALSE(refusal(all, user("{}", {"admin"}), {R"({"salary": 1})", names{"salary"}}));
}

TEST_CASE("unknown columns are named, and only readable ones suggested")
{
    const auto all = of_users({rule({}, "{}", names{"id", "name"})});
    const auto near_name = refusal(all, member, {"{}", names{"nane"}});
    CHECK(near_name->code == error_code::unknown_column);
    CHECK(near_name->message.find("did you mean 'name'") != std::string::npos);
    const auto near_salary = refusal(all, member, {R"({"salery": 1})"});
    CHECK(near_salary->code == error_code::unknown_column);
    CHECK(near_salary->message.find("salary") == std::string::npos);
}

TEST_CASE("a filter that the column's type cannot take is refused")
{
    CHECK(refusal(of_users({rule({})}), member, {R"({"id": "abc"})"})->code == error_code::bad_filter);
}

TEST_CASE("a rule that does not fit the table gives nothing")
{
    CHECK(refusal(of_users({rule({}, R"({"gone": 1})")}), member)->code == error_code::forbidden);
    CHECK(refusal(of_users({rule({}, "{}", names{"name"})}), member)->code == error_code::forbidden);
    CHECK_FALSE(refusal(of_users({rule({}, R"({"gone": 1})"), rule({}, "{}", names{"id"})}), member));
}

TEST_CASE("channels are given by name or by the beginning of their name")
{
    policy::rules all;
    all.channels = {{"news", {rule({})}},
                    {"room:*", {rule({"member"}, R"({"channel": {"in": "$claims.rooms"}})"), rule({"admin"})}},
                    {"*", {rule({"root"})}}};
    const auto may = [&](std::string_view channel, const policy::identity& who) {
        return policy::authorize_channel(all, channel, who).has_value();
    };
    CHECK(may("news", anonymous));
    CHECK_FALSE(may("news2", anonymous));
    CHECK_FALSE(may("", anonymous));
    CHECK(may("room:7", user("{}", {"admin"})));
    CHECK_FALSE(may("room", user("{}", {"admin"})));
    const auto in_room = user(R"({"rooms": ["room:7", "room:\"8"]})", {"member"});
    CHECK(may("room:7", in_room));
    CHECK(may("room:\"8", in_room));
    CHECK_FALSE(may("room:8", in_room));
    CHECK_FALSE(may("room:7", user("{}", {"member"})));
    CHECK(may("anything", user("{}", {"root"})));
    CHECK(policy::authorize_channel(all, "x", anonymous).error().code == error_code::forbidden);
}

TEST_CASE("a claim is found by its path or by a name with dots in it")
{
    const auto claims = tree(R"({"a": {"b": {"c": 1}, "b.c": 2}, "https://x.org/roles": ["r"], "a.b": {"d": 3}})");
    CHECK(policy::find_claim(claims, "a.b.c")->as_number()->digits == "2");
    CHECK(policy::find_claim(claims, "a.b.d")->as_number()->digits == "3");
    CHECK(policy::find_claim(claims, "https://x.org/roles")->as_list());
    for (const auto* absent : {"", ".", "a.", ".a", "a.b.e", "a..b", "x"}) {
        CHECK(policy::find_claim(claims, absent) == nullptr);
    }
}
