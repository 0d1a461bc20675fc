#include "policy/given.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace rowcast;
using namespace rowcast::tests;
using policy::effect;
using policy::type_family;
using policy::visibility;

namespace {

using names = std::vector<std::string>;

const auto orders = std::make_shared<const policy::table>(policy::table{"public.orders",
                                                                        {{"id", "integer", type_family::integer},
                                                                         {"owner", "integer", type_family::integer},
                                                                         {"status", "text", type_family::text},
                                                                         {"total", "numeric", type_family::numeric},
                                                                         {"note", "text", type_family::text}},
                                                                        {"id"},
                                                                        true});

policy::rule rule(std::string_view where, std::optional<names> columns = {}, names roles = {})
{
    return {std::move(roles), rule_predicate(where), std::move(columns), {}};
}

policy::rules given(std::vector<policy::rule> of_orders)
{
    policy::rules all;
    all.tables["public.orders"] = std::move(of_orders);
    return all;
}

struct request {
    std::string where = "{}";
    std::optional<names> columns = {};
    bool old = false;
};

core::result<visibility> authorize(const policy::rules& all, const request& wanted = {},
                                   const policy::identity& who = user(R"({"sub": 1})"))
{
    return policy::authorize(all, orders, who, {filter(wanted.where), wanted.columns, wanted.old});
}

visibility through(std::vector<policy::rule> of_orders, const request& wanted = {})
{
    return authorize(given(std::move(of_orders)), wanted).value();
}

std::string text(const std::vector<core::field>& fields)
{
    std::string all;
    for (const core::field& each : fields) {
        all += (all.empty() ? "" : " ") + std::string(each.name) + "=" + std::string(each.value);
    }
    return all;
}

/// The outcome in one line: `UPDATE key(id=1) row(id=1 total=5) old(total=4) changed(total)`.
std::string seen(const visibility& view, const core::change& change)
{
    const auto outcome = view.see(change);
    if (std::holds_alternative<visibility::nothing>(outcome)) {
        return "nothing";
    }
    if (std::holds_alternative<visibility::unknowable>(outcome)) {
        return "unknowable";
    }
    const auto& what = std::get<effect>(outcome);
    std::string line =
        std::string(to_string(what.op)) + (what.truncated ? " truncated" : "") + " key(" + text(what.key) + ")";
    line += what.row.empty() ? "" : " row(" + text(what.row) + ")";
    line += what.old ? " old(" + text(*what.old) + ")" : "";
    if (what.changed) {
        line += " changed(";
        for (const auto name : *what.changed) {
            line += std::string(name) + ",";
        }
        line.back() = ')';
    }
    return line;
}

const auto* const mine = R"({"owner": "$claims.sub"})";
const names few = {"id", "status"};

std::string order(std::string_view owner, std::string_view status, std::string_view total = "5")
{
    return R"({"id":1,"owner":)" + std::string(owner) + R"(,"status":")" + std::string(status) + R"(","total":)" +
           std::string(total) + R"(,"note":null})";
}

} // namespace

TEST_CASE("a row is visible where a rule holds, and unknown is not visible")
{
    const visibility view = through({rule(mine)});
    CHECK(seen(view, inserted(order("1", "open"))) ==
          R"(INSERT key(id=1) row(id=1 owner=1 status="open" total=5 note=null))");
    CHECK(seen(view, inserted(order("2", "open"))) == "nothing");
    CHECK(seen(view, inserted(order("null", "open"))) == "nothing");
    CHECK(seen(through({rule(R"({"not": {"owner": 2}})")}), inserted(order("null", "open"))) == "nothing");
}

TEST_CASE("an update that brings a row into the view is an INSERT, one that takes it out a DELETE without old")
{
    const visibility view = through({rule(mine, few)}, {"{}", {}, true});
    CHECK(seen(view, updated(order("2", "open"), order("1", "open"))) == R"(INSERT key(id=1) row(id=1 status="open"))");
    CHECK(seen(view, updated(order("1", "open"), order("2", "secret"))) == "DELETE key(id=1)");
    CHECK(seen(view, updated(order("2", "open"), order("2", "paid"))) == "nothing");
}

TEST_CASE("an update shows the visible row, what changed in it, and the old values where asked for")
{
    const auto change = updated(order("1", "open", "5.00"), order("1", "paid", "6.00"));
    CHECK(seen(through({rule(mine, few)}), change) == R"(UPDATE key(id=1) row(id=1 status="paid") changed(status))");
    CHECK(seen(through({rule(mine, few)}, {"{}", {}, true}), change) ==
          R"(UPDATE key(id=1) row(id=1 status="paid") old(status="open") changed(status))");
}

TEST_CASE("an update that changes nothing visible is not sent")
{
    const auto change = updated(order("1", "open", "5"), order("1", "open", "6"));
    CHECK(seen(through({rule(mine, few)}), change) == "nothing");
    CHECK(seen(through({rule(mine)}, {"{}", names{"status"}}), change) == "nothing");
}

TEST_CASE("a real delete shows the old row where asked for, authorised on that row")
{
    CHECK(seen(through({rule(mine, few)}), deleted(order("1", "open"))) == "DELETE key(id=1)");
    CHECK(seen(through({rule(mine, few)}, {"{}", {}, true}), deleted(order("1", "open"))) ==
          R"(DELETE key(id=1) old(id=1 status="open"))");
    CHECK(seen(through({rule(mine, few)}, {"{}", {}, true}), deleted(order("2", "open"))) == "nothing");
}

TEST_CASE("the halves of a changed key are a DELETE without old and an INSERT")
{
    const visibility view = through({rule(mine, few)}, {"{}", {}, true});
    auto half = deleted(order("1", "open"));
    half.cause = core::operation::update;
    CHECK(seen(view, half) == "DELETE key(id=1)");
    auto other = inserted(order("1", "open"));
    other.cause = core::operation::update;
    CHECK(seen(view, other) == R"(INSERT key(id=1) row(id=1 status="open"))");
}

TEST_CASE("columns are the union of the rules that hold for that row")
{
    const visibility view =
        through({rule(mine, few), rule(R"({"status": "open"})", names{"id", "total"})}, {"{}", {}, true});
    CHECK(seen(view, inserted(order("1", "open"))) == R"(INSERT key(id=1) row(id=1 status="open" total=5))");
    CHECK(seen(view, inserted(order("1", "paid"))) == R"(INSERT key(id=1) row(id=1 status="paid"))");
    CHECK(seen(view, inserted(order("2", "open"))) == "INSERT key(id=1) row(id=1 total=5)");
}

TEST_CASE("a column that comes into view counts as changed, and one that goes out of it is named and gone")
{
    const visibility view =
        through({rule(mine, few), rule(R"({"status": "open"})", names{"id", "total"})}, {"{}", {}, true});
    CHECK(seen(view, updated(order("1", "paid"), order("1", "open"))) ==
          R"(UPDATE key(id=1) row(id=1 status="open" total=5) old(status="paid") changed(status,total))");
    CHECK(seen(view, updated(order("1", "open"), order("1", "paid"))) ==
          R"(UPDATE key(id=1) row(id=1 status="paid") old(status="open" total=5) changed(status,total))");
    CHECK(seen(view, updated(order("1", "open"), order("2", "open"))) ==
          R"(UPDATE key(id=1) row(id=1 total=5) old(status="open") changed(status))");
}

TEST_CASE("a request narrows the columns, and the key is always told")
{
    const visibility view = through({rule("{}")}, {"{}", names{"total", "status"}});
    CHECK(seen(view, inserted(order("1", "open"))) == R"(INSERT key(id=1) row(status="open" total=5))");
}

TEST_CASE("a filter narrows the rows, with entering and leaving")
{
    const visibility view = through({rule(mine)}, {R"({"status": "open"})", names{"status"}});
    CHECK(seen(view, inserted(order("1", "paid"))) == "nothing");
    CHECK(seen(view, updated(order("1", "paid"), order("1", "open"))) == R"(INSERT key(id=1) row(status="open"))");
    CHECK(seen(view, updated(order("1", "open"), order("1", "paid"))) == "DELETE key(id=1)");
}

TEST_CASE("a filter tells nothing of a column in rows whose rules do not give it")
{
    // The total is given for open orders only; everyone's id and status are.
    const std::vector<policy::rule> both = {rule("{}", few), rule(R"({"status": "open"})", names{"id", "total"})};
    const visibility rich = through(both, {R"({"total": {"gte": 5}})"});
    CHECK(seen(rich, inserted(order("2", "open", "9"))) == R"(INSERT key(id=1) row(id=1 status="open" total=9))");
    CHECK(seen(rich, inserted(order("2", "paid", "9"))) == "nothing");
    CHECK(seen(through(both, {R"({"not": {"total": {"gte": 5}}})"}), inserted(order("2", "paid", "4"))) == "nothing");
    CHECK(seen(through(both, {R"({"or": [{"total": {"gte": 5}}, {"status": "paid"}]})"}),
               inserted(order("2", "paid", "4"))) == "nothing");
    CHECK(seen(through(both, {R"({"total": null})"}), inserted(order("2", "paid", "null"))) == "nothing");
}

TEST_CASE("a truncated change is decided by its key, or must be read again")
{
    auto change = updated(R"({"id":1})", R"({"id":1})");
    change.truncated = true;
    CHECK(seen(through({rule("{}")}), change) == "UPDATE truncated key(id=1)");
    CHECK(seen(through({rule(R"({"id": 1})")}, {R"({"id": {"lt": 5}})"}), change) == "UPDATE truncated key(id=1)");
    CHECK(seen(through({rule(R"({"id": 2})")}), change) == "nothing");
    CHECK(seen(through({rule(mine)}), change) == "unknowable");
    CHECK(seen(through({rule(mine), rule("{}", few)}), change) == "UPDATE truncated key(id=1)");
    CHECK(seen(through({rule("{}")}, {R"({"status": "open"})"}), change) == "unknowable");
    CHECK(seen(through({rule("{}")}, {R"({"status": "open", "id": 2})"}), change) == "nothing");
    // Whether the filter counts depends on whether the rule that gives its column holds.
    CHECK(seen(through({rule(mine), rule("{}", few)}, {R"({"total": {"nin": []}})"}), change) == "unknowable");
    CHECK(seen(through({rule(mine), rule("{}", few)}, {R"({"or": [{"id": 1}, {"total": 5}]})"}), change) ==
          "unknowable");

    auto gone = deleted(R"({"id":1})");
    gone.truncated = true;
    CHECK(seen(through({rule("{}")}, {"{}", {}, true}), gone) == "DELETE truncated key(id=1)");
    auto come = inserted(R"({"id":1})");
    come.truncated = true;
    CHECK(seen(through({rule("{}")}), come) == "INSERT truncated key(id=1)");
}

TEST_CASE("other tables and what is no row are nothing to a view")
{
    const visibility view = through({rule("{}")});
    CHECK(seen(view, inserted(order("1", "open"), "public.others")) == "nothing");
    auto change = inserted(order("1", "open"));
    change.op = core::operation::truncate;
    CHECK(seen(view, change) == "nothing");
}

TEST_CASE("viewers share a view exactly where they see the same")
{
    const auto text = [](std::vector<policy::rule> rules, const request& wanted = {}) {
        return through(std::move(rules), wanted).text();
    };
    CHECK(text({rule(mine, few), rule(R"({"id": 1})", few)}) ==
          text({rule(R"({"id": 1})", few), rule(mine, names{"status", "id"})}));
    CHECK(text({rule(mine), rule("{}")}) == text({rule("{}")}));
    CHECK(text({rule("{}")}, {"{}", names{"id", "total"}}) == text({rule("{}")}, {"{}", names{"total", "id", "id"}}));

    const std::set<std::string> different = {text({rule("{}")}),
                                             text({rule("{}", few)}),
                                             text({rule("{}", names{"id"})}),
                                             text({rule(mine)}),
                                             text({rule(mine, few)}),
                                             text({rule(mine, names{"id"}), rule("{}", few)}),
                                             text({rule(mine, few), rule("{}", names{"id"})}),
                                             text({rule("{}")}, {"{}", few}),
                                             text({rule("{}")}, {"{}", names{}}),
                                             text({rule("{}")}, {R"({"owner": 1})"}),
                                             text({rule("{}")}, {"{}", {}, true})};
    CHECK(different.size() == 11);
}

TEST_CASE("a view is found by its rules' equalities or by its filter's, whichever are fewer")
{
    const auto index = [](std::vector<policy::rule> rules, const request& wanted = {}, std::size_t most = SIZE_MAX) {
        std::string all;
        for (const auto& each : through(std::move(rules), wanted).indexable(most)) {
            all += (each.over ? each.over->name : "") + std::to_string(each.values.size()) + " ";
        }
        return all;
    };
    CHECK(index({rule("{}")}) == "");
    CHECK(index({rule(mine)}) == "owner1 ");
    CHECK(index({rule(mine), rule(R"({"status": {"in": ["a", "b"]}})")}) == "owner1 status2 ");
    CHECK(index({rule(mine), rule(R"({"total": {"gt": 1}})")}) == "");
    CHECK(index({rule(mine), rule(R"({"total": {"gt": 1}})")}, {R"({"id": 4})"}) == "id1 ");
    CHECK(index({rule(mine)}, {R"({"id": {"in": [1, 2]}})"}) == "owner1 ");
    CHECK(index({rule(R"({"owner": "$claims.nothing"})")}) == "0 ");

    const auto one_and_two = [&](std::size_t most, const request& wanted = {}) {
        return index({rule(mine), rule(R"({"status": {"in": ["a", "b"]}})")}, wanted, most);
    };
    CHECK(one_and_two(3) == "owner1 status2 ");
    CHECK(one_and_two(2) == "");
    CHECK(one_and_two(2, {R"({"id": 4})"}) == "id1 ");
    CHECK(one_and_two(2, {R"({"id": {"in": [4, 5, 6]}})"}) == "");
}
