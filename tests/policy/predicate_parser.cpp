#include "policy/given.hpp"

#include <catch2/catch.hpp>

using namespace rowcast;
using namespace rowcast::tests;
using policy::predicate;

namespace {

std::string refusal(std::string_view json, bool references = true)
{
    const auto read = predicate::parse(tree(json), references);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code == core::error_code::bad_filter);
    return read.error().message;
}

const predicate::condition& condition(const predicate& of)
{
    return std::get<predicate::condition>(of.node());
}

const predicate::group& group(const predicate& of)
{
    return std::get<predicate::group>(of.node());
}

} // namespace

TEST_CASE("what is written of a rule can be read again, and is the same")
{
    for (const char* const each : {R"({})", R"({"status":"open"})", R"({"owner":"$claims.a.b","room":{"in":"$sets.rooms"}})",
                                   R"({"or":[{"total":{"gte":1,"lt":12345678901234567890}},{"not":{"name":{"in":["$$x","y",null]}}}]})",
                                   R"({"deleted_at":null,"not":{"or":[{"a":true},{"b":false}]}})"}) {
        const core::value written = policy::to_value(predicate::parse(tree(each), true).value());
        const auto again = predicate::parse(written, true);
        INFO(each << " became " << core::to_json(written));
        REQUIRE(again.has_value());
        CHECK(core::to_json(policy::to_value(*again)) == core::to_json(written));
    }
    CHECK(core::to_json(policy::to_value(predicate::parse(tree(R"({"owner":"$claims.sub","price":"$$5"})"), true).value())) ==
          R"({"and":[{"owner":{"eq":"$claims.sub"}},{"price":{"eq":"$$5"}}]})");
}

TEST_CASE("an empty object of conditions holds for every row")
{
    CHECK(filter("{}").always());
}

TEST_CASE("a bare value is eq, and null is a test for null")
{
    const predicate open = filter(R"({"status": "open"})");
    CHECK(condition(open).column == "status");
    CHECK(condition(open).comparison == predicate::op::eq);
    CHECK(condition(filter(R"({"deleted_at": null})")).comparison == predicate::op::is);
}

TEST_CASE("members of one object are and-ed, operators of one column too")
{
    const predicate both = filter(R"({"status": "open", "total": {"gte": 1, "lt": 5}})");
    CHECK(group(both).of == predicate::group::kind::all);
    CHECK(group(both).parts.size() == 3);
}

TEST_CASE("and, or and not take objects of conditions")
{
    const predicate any = filter(R"({"or": [{"a": 1}, {"and": [{"b": 2}, {"not": {"c": 3}}]}]})");
    REQUIRE(group(any).of == predicate::group::kind::any);
    const auto& inner = group(group(any).parts[1]);
    CHECK(inner.of == predicate::group::kind::all);
    CHECK(group(inner.parts[1]).of == predicate::group::kind::none);
    std::vector<std::string> columns;
    any.columns(columns);
    CHECK(columns == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("references reach into the claims in rules, and are refused in a client's filter")
{
    const predicate mine = rule_predicate(R"({"owner": "$claims.user.id"})");
    const auto& to = std::get<predicate::reference>(condition(mine).right);
    CHECK(to.path == std::vector<std::string>{"user", "id"});
    CHECK(refusal(R"({"owner": "$claims.user.id"})", false).find("only the rules") != std::string::npos);
    CHECK(refusal(R"({"owner": {"in": "$sets.mine"}})", false).find("only the rules") != std::string::npos);
}

TEST_CASE("a dollar that begins no reference is a mistake in a rule and a plain character in a client's filter")
{
    CHECK(refusal(R"({"owner": "$claim.sub"})").find("did you mean '$claims'") != std::string::npos);
    CHECK(refusal(R"({"owner": "$claims..sub"})").find("empty name") != std::string::npos);
    CHECK(refusal(R"({"owner": "$claims."})").find("empty name") != std::string::npos);
    CHECK(*std::get<core::value>(condition(rule_predicate(R"({"price": "$$5"})")).right).as_string() == "$5");
    CHECK(*std::get<core::value>(condition(filter(R"({"price": "$5"})")).right).as_string() == "$5");
}

TEST_CASE("errors name the place and the nearest word")
{
    CHECK(refusal(R"({"total": {"gtr": 1}})") == "where.total has no operator 'gtr'; did you mean 'gt'?");
    CHECK(refusal(R"({"or": [{"a": 1}, {"b": {"nn": 1}}]})").starts_with("where.or[1].b has no operator 'nn'"));
    CHECK(refusal(R"({"a": {"not": 1}})").find("stands outside") != std::string::npos);
    CHECK(refusal(R"({"a": {"is": "nul"}})").find("did you mean 'null'") != std::string::npos);
}

TEST_CASE("shapes that mean nothing are refused")
{
    refusal("[]");
    refusal("1");
    refusal("null");
    refusal(R"({"": 1})");
    refusal(R"({"a": []})");
    refusal(R"({"a": {}})");
    refusal(R"({"or": []})");
    refusal(R"({"or": {"a": 1}})");
    refusal(R"({"not": [{"a": 1}]})");
    refusal(R"({"a": {"eq": null}})");
    refusal(R"({"a": {"eq": [1]}})");
    refusal(R"({"a": {"gt": {"b": 1}}})");
    refusal(R"({"a": {"in": 1}})");
    refusal(R"({"a": {"in": "open"}})");
    refusal(R"({"a": {"in": [[1]]}})");
    refusal(R"({"a": {"in": ["$claims.x"]}})");
    refusal(R"({"a": {"is": 1}})");
    refusal(R"({"a": {"is": "$claims.x"}})");
}

TEST_CASE("depth, conditions and lists have limits")
{
    std::string deep = R"({"a": 1})";
    for (std::size_t i = 0; i < predicate::deepest; ++i) {
        deep = R"({"not": )" + deep + "}";
    }
    CHECK(predicate::parse(tree(deep), false).has_value());
    CHECK(refusal(R"({"not": )" + deep + "}").find("deeper than") != std::string::npos);

    std::string many = "[";
    for (std::size_t i = 0; i < predicate::most_conditions; ++i) {
        many += R"({"a": 1}, )";
    }
    CHECK(refusal(R"({"or": )" + many + R"({"a": 1}]})").find("one condition too many") != std::string::npos);

    std::string values = "[1";
    for (std::size_t i = 0; i < predicate::longest_list; ++i) {
        values += ",1";
    }
    CHECK(refusal(R"({"a": {"in": )" + values + "]}}").find("more than 10000 values") != std::string::npos);
}

TEST_CASE("a refusal tells its place in the file")
{
    core::value tree{core::object{{"total", {core::object{{"gtr", {core::number{"1"}, {4, 12}}}}, {4, 3}}}}, {3, 1}};
    core::mark at;
    CHECK_FALSE(predicate::parse(tree, true, &at).has_value());
    CHECK(at == core::mark{4, 12});
}
