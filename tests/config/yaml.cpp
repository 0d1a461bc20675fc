#include "config/yaml.hpp"

#include "config/given.hpp"

#include <catch2/catch.hpp>

using namespace rowcast;
using namespace rowcast::tests;

namespace {

core::value read(const std::string& text)
{
    std::vector<config::problem> found;
    core::value tree =
        config::read_yaml(text, with({{"N", "5"}, {"NULL", "null"}, {"YAML", "a: [1, 2]\nb: {c"}}), found);
    REQUIRE(found.empty());
    return tree;
}

std::string refusal(const std::string& text)
{
    std::vector<config::problem> found;
    config::read_yaml(text, with({}), found);
    REQUIRE_FALSE(found.empty());
    return to_string(found.front(), "f");
}

} // namespace

TEST_CASE("plain scalars have YAML 1.2's types, quoted ones are texts")
{
    const core::value tree =
        read("[null, ~, true, 12, -1.50, 9007199254740993, no, on, 012, 0x1, 1., .5, \"12\", 'null', 2026-11-21, +1]");
    const core::list& items = *tree.as_list();
    CHECK(items[0].is_null());
    CHECK(items[1].is_null());
    CHECK(*items[2].as_bool());
    CHECK(items[3].as_number()->digits == "12");
    CHECK(items[4].as_number()->digits == "-1.50");
    CHECK(items[5].as_number()->digits == "9007199254740993");
    for (std::size_t i = 6; i < items.size(); ++i) {
        CAPTURE(i);
        CHECK(items[i].as_string());
    }
}

TEST_CASE("marks are those of the file")
{
    const core::value tree = read("a:\n  b: [1,\n      x]\n");
    CHECK(tree.find("a")->find("b")->as_list()->at(1).at == core::mark{3, 7});
}

TEST_CASE("what comes from the environment is one text, whatever is in it")
{
    const core::value tree = read("a: ${YAML}\nb: ${N}\nc: ${NULL}\nd: \"${YAML}\"\n");
    CHECK(*tree.find("a")->as_string() == "a: [1, 2]\nb: {c");
    CHECK(*tree.find("b")->as_string() == "5");
    CHECK(*tree.find("c")->as_string() == "null");
    CHECK(*tree.find("d")->as_string() == "a: [1, 2]\nb: {c");
    CHECK(read("${N}: 1").find("${N}"));
}

TEST_CASE("aliases stand for their anchors")
{
    const core::value tree = read("a: &x [1, 2]\nb: *x\n");
    CHECK(tree.find("b")->as_list()->size() == 2);
}

TEST_CASE("an alias bomb is stopped")
{
    std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 30; ++i) {
        const std::string last = "*a" + std::to_string(i - 1);
        bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
        for (int j = 1; j < 10; ++j) {
            bomb += ", " + last;
        }
        bomb += "]\n";
    }
    CHECK(contains(refusal(bomb), "more than 100000 values"));
    CHECK(contains(refusal("a: &x [1, *x]\n"), "inside of what it stands for"));
}

TEST_CASE("depth and syntax are refused with their place")
{
    CHECK(contains(refusal(std::string(100'000, '[')), "not YAML"));
    CHECK(contains(refusal(std::string(100'000, '{')), "not YAML"));
    CHECK(refusal("a: [1, 2\nb: 3\n").starts_with("f:"));
    CHECK(contains(refusal("a: *nothing"), "not YAML"));
    CHECK(contains(refusal("\tx: 1"), "not YAML"));
}

TEST_CASE("duplicate keys, odd keys, tags and second documents are refused")
{
    CHECK(refusal("a: 1\nb: 2\na: 3\n") == "f:3:1: error: the key 'a' was given already, in line 1");
    CHECK(contains(refusal("[a, b]: 1"), "key must be a plain text"));
    CHECK(contains(refusal("{a: 1}: 1"), "key must be a plain text"));
    CHECK(contains(refusal("a: !!python/object 1"), "tags"));
    CHECK(contains(refusal("a: 1\n---\nb: 1\n"), "more than one YAML document"));
    CHECK(contains(refusal("a: ${NOT_SET}"), "NOT_SET is not set"));
}
