#include "policy/literal_row.hpp"
#include "policy/given.hpp"

#include <catch2/catch.hpp>

using namespace rowcast;
using namespace rowcast::tests;
using policy::type_family;

namespace {

const policy::table things{"public.things",
                           {{"id", "bigint", type_family::bigint},
                            {"price", "numeric", type_family::numeric},
                            {"name", "text", type_family::text},
                            {"open", "boolean", type_family::boolean},
                            {"day", "date", type_family::date},
                            {"data", "jsonb", type_family::jsonb}},
                           {"id"},
                           true};

std::string literal(std::string_view json)
{
    const auto made = policy::literal_row(things, tree(json));
    return made ? std::string(made->json()) : made.error().message;
}

} // namespace

TEST_CASE("a row that is written down becomes what the log would have, whatever is in quotes")
{
    const std::string whole =
        R"({"id":9007199254740993,"price":1.50,"name":"5","open":true,"day":"2026-11-21","data":{"a":[1]}})";
    CHECK(literal(whole) == whole);
    CHECK(literal(R"({"id":"9007199254740993","price":"1.50","name":5,"open":"true","day":"2026-11-21","data":{"a":[1]}})") ==
          whole);
    CHECK(literal(R"({"price":"NaN","name":"NaN"})") ==
          R"({"id":null,"price":"NaN","name":"NaN","open":null,"day":null,"data":null})");
}

TEST_CASE("a row that is written down with what its table cannot have is refused")
{
    CHECK(literal(R"({"nme":"a"})") == "public.things has no captured column 'nme'; did you mean 'name'?");
    CHECK(literal(R"({"id":"seven"})") == R"(column 'id': "seven" is not an integer, as values of type bigint are)");
    CHECK(literal(R"({"id":"1,\"price\":2"})") ==
          R"(column 'id': "1,\"price\":2" is not an integer, as values of type bigint are)");
    CHECK(literal("[]") == "a row is an object, like {id: 1, status: open}");
}
