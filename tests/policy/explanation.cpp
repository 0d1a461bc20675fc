#include "policy/explanation.hpp"
#include "policy/given.hpp"
#include "policy/literal_row.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <random>

using namespace rowcast;
using namespace rowcast::tests;
using policy::explained_predicate;
using policy::explanation;
using policy::truth;
using policy::type_family;
using policy::visibility;
using verdict = policy::explanation::verdict;

namespace {

using names = std::vector<std::string>;

const auto orders = std::make_shared<const policy::table>(policy::table{"public.orders",
                                                                        {{"id", "integer", type_family::integer},
                                                                         {"owner", "integer", type_family::integer},
                                                                         {"status", "text", type_family::text},
                                                                         {"paid", "boolean", type_family::boolean}},
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

explanation explained(std::vector<policy::rule> of_orders, core::change change,
                      const policy::identity& who = user(R"({"sub": 7})"), const policy::table_request& wanted = {})
{
    return policy::explain(given(std::move(of_orders)), orders, who,
                           std::make_shared<const core::change>(std::move(change)), wanted);
}

const explained_predicate::condition& only_condition(const explanation& of)
{
    return std::get<explained_predicate::condition>(of.after->rules.at(0).where->what);
}

const char* const order = R"({"id":1,"owner":8,"status":"open","paid":null})";

} // namespace

TEST_CASE("a rule that does not hold is explained by its condition, the row's value and the user's")
{
    const auto found = explained({rule(R"({"owner": "$claims.sub"})")}, inserted(order));
    CHECK(found.what == verdict::nothing);
    CHECK(found.reason == "no rule for this user holds");
    CHECK(found.after->rules[0].where->holds.is(truth::no));
    CHECK(only_condition(found).text == "owner eq $claims.sub");
    CHECK(only_condition(found).value == "8");
    CHECK(core::to_json(*only_condition(found).compared) == "7");
    CHECK(only_condition(found).remark.empty());
}

TEST_CASE("what is unknown is explained by what is missing")
{
    const auto remark = [](std::string_view where, std::string_view claims) {
        const auto found = explained({rule(where)}, inserted(order), user(claims));
        CHECK(found.after->rules[0].where->holds.is(truth::unknown));
        return only_condition(found).remark;
    };
    CHECK(remark(R"({"owner": "$claims.org.id"})", "{}") == "the user has no claim 'org.id'");
    CHECK(remark(R"({"owner": "$claims.org"})", R"({"org": null})") == "the user's claim 'org' is null");
    CHECK(remark(R"({"owner": "$claims.org"})", R"({"org": "alice"})").starts_with("column 'owner': 'alice' is not an integer"));
    CHECK(remark(R"({"owner": "$claims.org"})", R"({"org": [8]})") == "$claims.org is a list, and one value is wanted");
    CHECK(remark(R"({"paid": true})", "{}") == "compared with null, which is neither true nor false");
    CHECK(remark(R"({"owner": {"in": [1, null]}})", "{}") == "a null is among the values");
}

TEST_CASE("a set is explained by its values, and one that is not known is said to be so")
{
    const auto mine = rule(R"({"owner": {"in": "$sets.mine"}})");
    policy::identity who = user("{}");
    CHECK(only_condition(explained({mine}, inserted(order), who)).remark ==
          "what the set 'mine' holds for this user is not known");
    who.sets["mine"] = policy::literal_set("mine", tree(R"([8, 9, "9", null])")).value();
    const auto found = explained({mine}, inserted(order), who);
    CHECK(found.what == verdict::sent);
    CHECK(core::to_json(*only_condition(found).compared) == R"(["8","9",null])");
    CHECK_FALSE(policy::literal_set("mine", tree(R"([[1]])")).has_value());
}

TEST_CASE("why it is not known what a set holds is said: what the user lacks, or what reading it met with")
{
    auto definition = std::make_shared<policy::set_definition>();
    definition->name = "mine";
    definition->parameters = {policy::predicate::reference{policy::predicate::reference::kind::claims, {"sub"}}};
    policy::rules all = given({rule(R"({"owner": {"in": "$sets.mine"}})")});
    all.sets["mine"] = definition;
    const auto change = std::make_shared<const core::change>(inserted(order));
    const auto remark = [&](std::string_view claims, const policy::unknown_sets& unknown = {}) {
        return only_condition(policy::explain(all, orders, user(claims), change, {}, unknown)).remark;
    };
    const std::string begin = "what the set 'mine' holds for this user is not known";
    CHECK(remark("{}") == begin + ": the user has no claim 'sub', which its query takes");
    CHECK(remark(R"({"sub": [1]})") == begin + ": the user's claim 'sub' is a list, and its query takes one value");
    CHECK(remark(R"({"sub": 1})") == begin);
    CHECK(remark(R"({"sub": 1})", {{"mine", "it has more than 10000 values"}}) == begin + ": it has more than 10000 values");

    all.channels = {{"*", {rule(R"({"channel": {"in": "$sets.mine"}})")}}};
    CHECK(only_condition(policy::explain_channel(all, "room:7", user("{}"))).remark ==
          begin + ": the user has no claim 'sub', which its query takes");
    CHECK(only_condition(policy::explain_channel(all, "room:7", user(R"({"sub": 1})"), {{"mine", "gone"}})).remark == begin + ": gone");
}

TEST_CASE("of what is long an explanation has the beginning, and decides by all of it")
{
    std::string values = "[";
    for (int i = 0; i < 10'000; ++i) {
        values += (i == 0 ? "" : ",") + std::to_string(i);
    }
    values += "]";
    policy::identity who = user("{}");
    who.sets["mine"] = policy::literal_set("mine", tree(values)).value();
    const auto in_set = explained({rule(R"({"owner": {"in": "$sets.mine"}})")}, inserted(order), who);
    CHECK(in_set.what == verdict::sent);
    CHECK(only_condition(in_set).compared->as_list()->size() == 20);
    CHECK(only_condition(in_set).remark == "the first 20 of 10000 values");

    const std::string many = "ab\u00e9" + std::string(100'000, 'x');
    std::string umlauts;
    for (int i = 0; i < 50'000; ++i) {
        umlauts += "\xc3\xa4";
    }
    const std::string row = R"({"id":1,"owner":8,"status":")" + umlauts + R"(","paid":null})";
    const auto long_row = explained({rule(R"({"status": ")" + umlauts + R"("})")}, inserted(row), user("{}"));
    CHECK(long_row.what == verdict::sent);
    CHECK(only_condition(long_row).text.size() < 1100);
    CHECK(only_condition(long_row).value->size() < 1100);
    CHECK(core::decode_string(*only_condition(long_row).value)->ends_with("\xc3\xa4..."));
    const auto long_claim = explained({rule(R"({"status": "$claims.s"})")}, inserted(order), user(R"({"s": ")" + many + R"("})"));
    CHECK(only_condition(long_claim).compared->as_string()->size() < 1100);
    const auto long_object = explained({rule(R"({"status": "$claims.s"})")}, inserted(order), user(R"({"s": {"a": ")" + many + R"("}})"));
    CHECK(core::to_json(*only_condition(long_object).compared).size() < 1200);
}

TEST_CASE("rules for others and rules that do not fit are told apart from rules that do not hold")
{
    const auto found = explained({rule("{}", {}, {"admin"}), rule("{}", names{"status"}), rule(R"({"gone": 1})"),
                                  rule(R"({"status": "open"})", names{"id", "status"}), rule("{}", names{"id", "paid"})},
                                 inserted(order));
    CHECK_FALSE(found.after->rules[0].for_user);
    CHECK(found.after->rules[1].misfit == "it does not give the key columns, so it gives nothing");
    CHECK(found.after->rules[2].misfit.find("no captured column 'gone'") != std::string::npos);
    CHECK(found.after->rules[3].number == 4);
    CHECK(found.after->columns == names{"id", "status", "paid"});
    CHECK(found.what == verdict::sent);
    REQUIRE(found.event);
    CHECK(found.event->row.size() == 3);
}

TEST_CASE("a user whom no rule is for is told so")
{
    const auto found = explained({rule("{}", {}, {"admin"})}, inserted(order));
    CHECK(found.what == verdict::refused);
    CHECK(found.reason == "no rule gives you public.orders");
}

TEST_CASE("an update is explained by both of its rows")
{
    const auto mine = rule(R"({"owner": 7})", names{"id", "owner"});
    const auto row = [](const char* owner, const char* status) {
        return R"({"id":1,"owner":)" + std::string(owner) + R"(,"status":")" + status + R"(","paid":null})";
    };
    const auto reason = [&](const std::string& before, const std::string& after) {
        return explained({mine}, updated(before, after)).reason;
    };
    CHECK(reason(row("8", "open"), row("7", "open")) == "the UPDATE brings the row into what the user sees");
    CHECK(reason(row("7", "open"), row("8", "open")) == "the UPDATE takes the row out of what the user sees");
    CHECK(reason(row("7", "open"), row("7", "paid")) == "nothing that the user may see has changed");
    CHECK(reason(row("8", "open"), row("9", "open")) ==
          "neither the old row nor the new one is visible: no rule for this user holds");
}

TEST_CASE("a client's filter is explained, and so is one over a column that the row's rules do not give")
{
    const std::vector<policy::rule> rules = {rule(R"({"paid": true})"), rule("{}", names{"id", "status"})};
    const policy::identity who = user("{}");
    CHECK(explained(rules, inserted(order), who, {filter(R"({"status": "paid"})"), {}, false}).reason ==
          "the client's own filter does not hold");
    CHECK(explained(rules, inserted(order), who, {filter(R"({"owner": 8})"), {}, false}).reason ==
          "the client's filter names 'owner', which no rule that holds gives of this row");
    CHECK(explained(rules, inserted(order), who, {{}, names{"nope"}, false}).what == verdict::refused);
}

TEST_CASE("a row too large for the log is explained as far as its key goes")
{
    auto change = inserted(R"({"id":1})");
    change.truncated = true;
    const auto found = explained({rule(R"({"owner": 7})")}, change);
    CHECK(found.what == verdict::resync);
    CHECK(only_condition(found).remark == "not known: the row was too large for the log");
    CHECK_FALSE(only_condition(found).value);
    CHECK(explained({rule(R"({"id": 2})")}, change).reason == "no rule for this user holds");
}

TEST_CASE("channels are explained by the rules of every entry that matches")
{
    policy::rules all;
    all.channels = {{"news", {rule("{}")}},
                    {"room:*", {rule(R"({"channel": {"in": "$claims.rooms"}})"), rule("{}", {}, {"admin"})}}};
    const auto in = policy::explain_channel(all, "room:7", user(R"({"rooms": ["room:7"]})"));
    CHECK(in.what == verdict::sent);
    CHECK(in.after->rules.size() == 2);
    const auto out = policy::explain_channel(all, "room:7", user("{}"));
    CHECK(out.what == verdict::refused);
    CHECK(only_condition(out).remark == "the user has no claim 'rooms'");
}

TEST_CASE("conditions are worded as they were written")
{
    const auto text = [](std::string_view where) {
        return policy::to_text(std::get<policy::predicate::condition>(rule_predicate(where).node()));
    };
    CHECK(text(R"({"a": "x"})") == R"(a eq "x")");
    CHECK(text(R"({"a": {"in": [1, "b", null]}})") == R"(a in [1,"b",null])");
    CHECK(text(R"({"a": {"in": "$sets.mine"}})") == "a in $sets.mine");
    CHECK(text(R"({"a": null})") == "a is null");
    CHECK(text(R"({"a": {"is": "not null"}})") == "a is not null");
}

namespace {

/// Rules, users, filters and changes made up at random.
class maker {
public:
    explicit maker(unsigned seed)
        : engine_(seed)
    {
    }

    std::size_t below(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(engine_); }

    bool chance(std::size_t percent) { return below(100) < percent; }

    const std::string& one_of(const names& items) { return items[below(items.size())]; }

    std::string predicate(bool references, std::size_t depth = 0)
    {
        const std::size_t kind = below(depth < 3 ? 10 : 6);
        if (kind >= 9) {
            return "{\"not\": " + predicate(references, depth + 1) + "}";
        }
        if (kind >= 6) {
            return std::string(kind == 6 ? "{\"or\"" : "{\"and\"") + ": [" + predicate(references, depth + 1) + ", " +
                   predicate(references, depth + 1) + "]}";
        }
        static const names plain = {R"({"owner": 1})",
                                    R"({"owner": {"neq": 2}})",
                                    R"({"owner": {"in": [1, null]}})",
                                    R"({"owner": {"gte": 2}})",
                                    R"({"status": "open"})",
                                    R"({"status": {"nin": ["open", "paid"]}})",
                                    R"({"paid": null})",
                                    R"({"paid": {"is": "not null"}})",
                                    R"({"paid": true})",
                                    R"({"id": {"lt": 2}})",
                                    R"({})"};
        static const names referring = {R"({"owner": "$claims.sub"})", R"({"status": {"in": "$claims.of"}})",
                                        R"({"id": {"gt": "$claims.none"}})"};
        return references && chance(40) ? one_of(referring) : one_of(plain);
    }

    std::string row()
    {
        static const names owners = {"1", "2", "3", "null"};
        static const names statuses = {R"("open")", R"("paid")", "null"};
        static const names flags = {"true", "false", "null"};
        return R"({"id":1,"owner":)" + one_of(owners) + R"(,"status":)" + one_of(statuses) + R"(,"paid":)" +
               one_of(flags) + "}";
    }

    std::optional<names> columns(bool with_key)
    {
        if (chance(40)) {
            return std::nullopt;
        }
        names chosen;
        for (const char* each : {"id", "owner", "status", "paid"}) {
            if ((with_key && std::string(each) == "id") || chance(50)) {
                chosen.emplace_back(each);
            }
        }
        return chosen;
    }

    core::change change()
    {
        const std::string one = row();
        core::change made = chance(50) ? updated(one, row()) : chance(50) ? inserted(one) : deleted(one);
        if (chance(15)) {
            made.truncated = true;
            made.before = made.before.present() ? tests::row(R"({"id":1})") : core::row();
            made.after = made.after.present() ? tests::row(R"({"id":1})") : core::row();
        }
        return made;
    }

    policy::identity who()
    {
        static const names claims = {"{}", R"({"sub": 1})", R"({"sub": "2", "of": ["open", null]})",
                                     R"({"sub": "x", "of": "paid"})"};
        return user(one_of(claims), chance(50) ? names{"customer"} : names{"customer", "support"});
    }

private:
    std::mt19937 engine_;
};

bool is_visible(const std::optional<policy::explained_row>& row)
{
    return row && row->filter.holds.is(truth::yes) && row->hidden.empty() && !row->columns.empty();
}

names columns_of(const std::vector<core::field>& fields)
{
    names all;
    for (const core::field& each : fields) {
        all.emplace_back(each.name);
    }
    return all;
}

} // namespace

TEST_CASE("what is explained is what is delivered, whatever the rules, the user and the change")
{
    const char* const given_seed = std::getenv("ROWCAST_TEST_SEED");
    const unsigned seed = given_seed ? static_cast<unsigned>(std::stoul(given_seed)) : std::random_device()();
    CAPTURE(seed);
    maker random(seed);
    std::size_t sent = 0;
    for (int i = 0; i < 5'000; ++i) {
        std::vector<policy::rule> of_orders;
        for (std::size_t count = 1 + random.below(4); count > 0; --count) {
            of_orders.push_back(rule(random.predicate(true), random.columns(random.chance(90)),
                                     random.chance(50) ? names{} : names{random.one_of({"customer", "support"})}));
        }
        const policy::rules all = given(of_orders);
        const policy::identity who = random.who();
        const policy::table_request wanted{random.chance(60) ? policy::predicate() : filter(random.predicate(false)),
                                           random.chance(70) ? std::nullopt : random.columns(false), random.chance(50)};
        const auto change = std::make_shared<const core::change>(random.change());
        const explanation told = policy::explain(all, orders, who, change, wanted);
        CAPTURE(i, told.reason);

        const auto view = policy::authorize(all, orders, who, wanted);
        REQUIRE((told.what == verdict::refused) == !view.has_value());
        if (!view) {
            continue;
        }
        const auto outcome = view->see(*change);
        const auto* event = std::get_if<policy::effect>(&outcome);
        REQUIRE((told.what == verdict::sent) == (event != nullptr));
        REQUIRE((told.what == verdict::resync) == std::holds_alternative<visibility::unknowable>(outcome));
        REQUIRE_FALSE(told.reason.empty());
        for (const auto* row : {&told.before, &told.after}) {
            for (const auto& each : *row ? (*row)->rules : std::vector<policy::explained_rule>()) {
                if (each.where && !change->truncated) {
                    const auto bound = policy::bound_predicate::bind(of_orders[each.number - 1].where, *orders, &who);
                    REQUIRE(each.where->holds.is(bound->evaluate(row == &told.before ? change->before : change->after)));
                }
            }
        }
        if (change->truncated) {
            continue;
        }
        const bool was = is_visible(told.before);
        const bool is = is_visible(told.after);
        REQUIRE((event != nullptr) == (was != is || (was && is && told.reason == "the user may see the row")));
        if (event && event->op != core::operation::remove) {
            ++sent;
            names expected = told.after->columns;
            if (wanted.columns) {
                std::erase_if(expected, [&](const std::string& each) {
                    return std::find(wanted.columns->begin(), wanted.columns->end(), each) == wanted.columns->end();
                });
            }
            REQUIRE(columns_of(event->row) == expected);
        }
    }
    CHECK(sent > 200);
}
