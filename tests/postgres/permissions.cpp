#include "policy/rules.hpp"
#include "postgres/catalog_reader.hpp"
#include "postgres/generated.hpp"
#include "postgres/row_reader.hpp"
#include "support/database.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

using namespace rowcast;
using namespace rowcast::tests;
using policy::truth;
using policy::visibility;
using rowcast::support::database;
using rowcast::support::with_rowcast;

namespace {

using names = std::vector<std::string>;

/// ROWCAST_TEST_SEED repeats a run.
unsigned seed()
{
    const char* const given = std::getenv("ROWCAST_TEST_SEED");
    return given ? static_cast<unsigned>(std::stoul(given)) : std::random_device()();
}

bool has(const names& all, std::string_view name)
{
    return std::find(all.begin(), all.end(), name) != all.end();
}

std::string value_or_null(dice& random, const generated_type& type, unsigned null_percent)
{
    return random.chance(null_percent) ? "null" : sql_text(random.one_of(type.values));
}

/// A watched table of its own, with a history in the log.
struct generated_table {
    std::vector<generated_column> columns;
    names key;
    names all;

    generated_table(dice& random, const database& db)
    {
        static const names odd = {"id", "new",           "old", "n",     "Quoted \"Name\"",
                                  "op", "\u00e9t\u00e9", "row", "value", "v"};
        const std::size_t count = 3 + random.below(5);
        std::string definition;
        for (std::size_t i = 0; i < count; ++i) {
            const bool of_key = i == 0 || (i == 1 && random.chance(30));
            const generated_type* type = &random.one_of(generated_types());
            while (of_key && (!type->comparable || type->json || type->values.size() < 5)) {
                type = &random.one_of(generated_types());
            }
            columns.push_back({odd[i], type, of_key});
            all.push_back(odd[i]);
            if (of_key) {
                key.push_back(odd[i]);
            }
            definition += sql_name(odd[i]) + " " + type->name + ", ";
        }
        std::string key_list;
        for (const std::string& each : key) {
            key_list += (key_list.empty() ? "" : ", ") + sql_name(each);
        }
        db.execute("drop table if exists t, v; delete from rowcast.change_log; create table t (" + definition +
                   "primary key (" + key_list + ")); select rowcast.watch('t', notify => true)");
        write(random, db);
        // Every version of a row, as PostgreSQL reads it back from the log.
        db.execute("create table v as select c.id as the_change, x.is_new, (json_populate_record(null::t, x.json)).* "
                   "from rowcast.change_log c, "
                   "lateral (values (true, c.new), (false, c.old)) x (is_new, json) where x.json is not null and "
                   "c.table_name is not null");
    }

private:
    void write(dice& random, const database& db) const
    {
        const auto assignment = [&](const generated_column& column) {
            return sql_name(column.name) + " = " + value_or_null(random, *column.type, column.key ? 0 : 20);
        };
        const auto somewhere = [&] {
            return " where ctid = (select ctid from t offset " + std::to_string(random.below(8)) + " limit 1)";
        };
        pqxx::connection connection = db.connect();
        for (int i = 0; i < 60; ++i) {
            std::string statement;
            if (i < 8 || random.chance(25)) {
                std::string values;
                for (const generated_column& column : columns) {
                    values += (values.empty() ? "" : ", ") + value_or_null(random, *column.type, column.key ? 0 : 20);
                }
                statement = "insert into t values (" + values + ") on conflict do nothing";
            } else if (random.chance(80)) {
                statement = "update t set " + assignment(random.one_of(columns)) + ", " + assignment(columns.back()) +
                            (random.chance(80) ? somewhere() : "");
                if (columns.back().key || statement.find(sql_name(columns.back().name) + " =") !=
                                              statement.rfind(sql_name(columns.back().name) + " =")) {
                    statement = "update t set " + assignment(random.one_of(columns)) + somewhere();
                }
            } else {
                statement = "delete from t" + somewhere();
            }
            try {
                pqxx::work work{connection};
                work.exec(statement);
                work.commit();
            } catch (const pqxx::unique_violation&) {
                // A key that is there already: the application's own problem.
            }
        }
    }
};

struct logged {
    long id;
    core::change change;
};

std::vector<logged> read_log(pqxx::work& work)
{
    std::vector<logged> all;
    for (const auto& row : work.exec("select id, op, cause, table_name, new, old from rowcast.change_log where "
                                     "table_name is not null order by id")) {
        logged each{row[0].as<long>(), {}};
        REQUIRE(core::from_string(row[1].c_str(), each.change.op));
        REQUIRE(core::from_string(row[2].is_null() ? row[1].c_str() : row[2].c_str(), each.change.cause));
        each.change.table = row[3].c_str();
        if (!row[4].is_null()) {
            each.change.after = core::row::parse(row[4].c_str()).value();
        }
        if (!row[5].is_null()) {
            each.change.before = core::row::parse(row[5].c_str()).value();
        }
        all.push_back(std::move(each));
    }
    return all;
}

/// What PostgreSQL says of one version of a row: of each rule, and of the filter.
struct verdicts {
    std::vector<truth> rules;
    truth filter = truth::no;
};

/// A user's rules and request, in both languages.
struct scenario {
    std::vector<policy::rule> rules;
    std::vector<std::string> rules_sql;
    core::object claims;
    predicate_maker::sets sets;
    policy::table_request request;
    std::string filter_sql = "true";
    names filter_columns;

    scenario(dice& random, const generated_table& table)
    {
        for (std::size_t i = random.below(3) + 1; i > 0; --i) {
            policy::rule made;
            made.roles = {"member"};
            if (random.chance(85)) {
                const auto where = predicate_maker(random, table.columns, &claims, &sets).make();
                CAPTURE(where.sql);
                made.where = policy::predicate::parse(where.tree, true).value();
                rules_sql.push_back(where.sql);
            } else {
                rules_sql.emplace_back("true");
            }
            if (random.chance(60)) {
                made.columns = table.key;
                for (const std::string& name : table.all) {
                    if (!has(table.key, name) && random.chance(50)) {
                        made.columns->push_back(name);
                    }
                }
            }
            rules.push_back(std::move(made));
        }
        if (random.chance(50)) {
            const auto where = predicate_maker(random, table.columns, nullptr).make(2);
            request.where = policy::predicate::parse(where.tree, false).value();
            filter_sql = where.sql;
            filter_columns = where.columns;
        }
        if (random.chance(40)) {
            request.columns.emplace();
            for (const std::string& name : table.all) {
                if (random.chance(50)) {
                    request.columns->push_back(name);
                }
            }
        }
        request.old = random.chance(50);
    }

    bool gives(const policy::rule& rule, const std::string& column) const
    {
        return !rule.columns || has(*rule.columns, column);
    }

    /// The columns of the rules that hold; nothing where the row is not visible. This is the documented rule, spelled anew.
    std::optional<names> visible(const verdicts& of, const generated_table& table) const
    {
        names given;
        bool any = false;
        for (std::size_t i = 0; i < rules.size(); ++i) {
            if (of.rules[i] == truth::yes) {
                any = true;
                for (const std::string& name : table.all) {
                    if (gives(rules[i], name) && !has(given, name)) {
                        given.push_back(name);
                    }
                }
            }
        }
        const bool filter_is_visible = std::all_of(filter_columns.begin(), filter_columns.end(),
                                                   [&](const std::string& name) { return has(given, name); });
        if (!any || of.filter != truth::yes || !filter_is_visible) {
            return std::nullopt;
        }
        names shown;
        for (const std::string& name : table.all) {
            if (has(given, name) && (!request.columns || has(*request.columns, name))) {
                shown.push_back(name);
            }
        }
        return shown;
    }

    /// Whether some rule gives every column that the request names.
    bool may_ask() const
    {
        const auto given = [&](const std::string& name) {
            return std::any_of(rules.begin(), rules.end(), [&](const policy::rule& each) { return gives(each, name); });
        };
        const names asked = request.columns.value_or(names{});
        return std::all_of(asked.begin(), asked.end(), given) &&
               std::all_of(filter_columns.begin(), filter_columns.end(), given);
    }
};

truth to_truth(const pqxx::field& field)
{
    return field.is_null() ? truth::unknown : field.as<bool>() ? truth::yes : truth::no;
}

std::map<std::pair<long, bool>, verdicts> ask_postgres(pqxx::work& work, const scenario& of)
{
    std::string sql = "select v.the_change, v.is_new, (" + of.filter_sql + ")";
    for (const std::string& rule : of.rules_sql) {
        sql += ", (" + rule + ")";
    }
    std::map<std::pair<long, bool>, verdicts> all;
    for (const auto& row : work.exec(sql + " from v")) {
        verdicts& each = all[{row[0].as<long>(), row[1].as<bool>()}];
        each.filter = to_truth(row[2]);
        for (unsigned i = 0; i < of.rules_sql.size(); ++i) {
            each.rules.push_back(to_truth(row[static_cast<int>(3 + i)]));
        }
    }
    return all;
}

/// One line for each field: what is shown, in order.
std::string text(const std::vector<core::field>& fields)
{
    std::string all;
    for (const core::field& each : fields) {
        all += std::string(each.name) + "=" + std::string(each.value) + "\n";
    }
    return all;
}

std::string text(const core::row& row, const names& columns)
{
    std::string all;
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (has(columns, row[i].name)) {
            all += std::string(row[i].name) + "=" + std::string(row[i].value) + "\n";
        }
    }
    return all;
}

std::string key_text(const core::row& row, const names& key)
{
    std::string all;
    for (const std::string& name : key) {
        all += name + "=" + std::string(row.find(name).value()) + "\n";
    }
    return all;
}

/// What a subscriber must see of a change, from PostgreSQL's verdicts alone (DESIGN section 5).
std::string expected(const core::change& change, const std::optional<names>& before, const std::optional<names>& after,
                     const generated_table& table, bool old)
{
    if (before && after) {
        std::string changed;
        names changed_names;
        for (const std::string& name : table.all) {
            const bool was = has(*before, name);
            const bool is = has(*after, name);
            if (was != is || (is && change.before.find(name) != change.after.find(name))) {
                changed_names.push_back(name);
            }
        }
        if (changed_names.empty()) {
            return "nothing";
        }
        std::sort(changed_names.begin(), changed_names.end());
        for (const std::string& name : changed_names) {
            changed += name + "\n";
        }
        names old_names;
        for (const std::string& name : changed_names) {
            if (has(*before, name)) {
                old_names.push_back(name);
            }
        }
        std::sort(old_names.begin(), old_names.end());
        std::string old_text;
        for (const std::string& name : old_names) {
            old_text += name + "=" + std::string(change.before.find(name).value()) + "\n";
        }
        return "UPDATE\nkey " + key_text(change.after, table.key) + "row " + text(change.after, *after) + "changed " +
               changed + (old ? "old " + old_text : "");
    }
    if (after) {
        return "INSERT\nkey " + key_text(change.after, table.key) + "row " + text(change.after, *after);
    }
    if (before) {
        const bool with_old = old && change.cause == core::operation::remove;
        return "DELETE\nkey " + key_text(change.before, table.key) +
               (with_old ? "old " + text(change.before, *before) : "");
    }
    return "nothing";
}

std::string seen(const visibility::outcome& outcome)
{
    if (std::holds_alternative<visibility::nothing>(outcome)) {
        return "nothing";
    }
    if (std::holds_alternative<visibility::unknowable>(outcome)) {
        return "unknowable";
    }
    const auto& what = std::get<policy::effect>(outcome);
    std::string all = std::string(to_string(what.op)) + "\nkey " + text(what.key);
    all += what.op == core::operation::remove ? "" : "row " + text(what.row);
    if (what.changed) {
        std::vector<std::string_view> sorted = *what.changed;
        std::sort(sorted.begin(), sorted.end());
        all += "changed ";
        for (const std::string_view name : sorted) {
            all += std::string(name) + "\n";
        }
    }
    if (what.old) {
        std::vector<core::field> fields = *what.old;
        if (what.op == core::operation::update) {
            std::sort(fields.begin(), fields.end(),
                      [](const core::field& left, const core::field& right) { return left.name < right.name; });
        }
        all += "old " + text(fields);
    }
    return all;
}

/// The same change as the log keeps it when the row is too large.
core::change cut_to_key(const core::change& whole, const names& key)
{
    const auto cut = [&](const core::row& row) {
        std::string json;
        for (const std::string& name : key) {
            json += json.empty() ? "{" : ",";
            core::append_quoted(json, name);
            json += ":" + std::string(row.find(name).value());
        }
        return core::row::parse(json + "}").value();
    };
    core::change made;
    made.op = whole.op;
    made.cause = whole.cause;
    made.table = whole.table;
    made.truncated = true;
    if (whole.after.present()) {
        made.after = cut(whole.after);
    }
    if (whole.before.present()) {
        made.before = cut(whole.before);
    }
    return made;
}

/// What the table holds now, as PostgreSQL's verdicts give it to the user; each row as text, and read back from it, as
/// it is from the log (a jsonb null is null there).
std::multiset<std::string> expected_rows(pqxx::work& work, const scenario& of, const generated_table& table)
{
    std::string sql = "select row_to_json(v.*), (" + of.filter_sql + ")";
    for (const std::string& rule : of.rules_sql) {
        sql += ", (" + rule + ")";
    }
    std::multiset<std::string> all;
    for (const auto& row : work.exec(sql + " from (select (json_populate_record(null::t, row_to_json(x.*))).* from t x) v")) {
        verdicts said;
        said.filter = to_truth(row[1]);
        for (unsigned i = 0; i < of.rules_sql.size(); ++i) {
            said.rules.push_back(to_truth(row[static_cast<int>(2 + i)]));
        }
        if (const auto shown = of.visible(said, table)) {
            all.insert(text(core::row::parse(row[0].c_str()).value(), *shown));
        }
    }
    return all;
}

/// The same through SQL that narrows and rules that decide: which must decide the same.
std::multiset<std::string> initial_rows(postgres::row_reader& reader, const visibility& viewer)
{
    std::multiset<std::string> all;
    if (auto begun = reader.select(viewer, std::nullopt); !begun) {
        FAIL(begun.error().message << ": " << postgres::make_row_statement(viewer, std::nullopt).text);
    }
    for (;;) {
        auto row = reader.next();
        if (!row) {
            FAIL(row.error().message << ": " << postgres::make_row_statement(viewer, std::nullopt).text);
        }
        if (!*row) {
            return all;
        }
        core::change arrival;
        arrival.op = arrival.cause = core::operation::insert;
        arrival.table = "public.t";
        arrival.after = std::move((*row)->columns);
        CAPTURE(arrival.after.json(), postgres::make_row_statement(viewer, std::nullopt).text);
        const auto seen = viewer.see(arrival);
        REQUIRE(std::holds_alternative<policy::effect>(seen));
        all.insert(text(std::get<policy::effect>(seen).row));
    }
}

/// Whether the view would be looked at for this row.
bool is_found(const std::vector<policy::bound_predicate::equality>& index, const core::row& row)
{
    return index.empty() || std::any_of(index.begin(), index.end(), [&](const policy::bound_predicate::equality& each) {
               const auto json = each.over ? row.find(each.over->name) : std::nullopt;
               return json && has(each.values, policy::index_key(each.over->family, *json));
           });
}

} // namespace

TEST_CASE("what a user sees of generated changes is what PostgreSQL's own answers to their rules give them")
{
    const unsigned started = seed();
    WARN("ROWCAST_TEST_SEED=" << started << " repeats this run");
    dice random(started);
    const database db{with_rowcast};
    db.execute(generated_types_sql);
    std::size_t events = 0;
    std::size_t hidden = 0;
    std::size_t decided_by_key = 0;
    std::size_t initial = 0;
    const observe::sink say = [](const observe::observation& what) {
        if (const auto* failed = std::get_if<observe::background_failed>(&what)) {
            UNSCOPED_INFO(failed->reason);
        }
    };
    postgres::row_reader reader({.url = db.url(), .read_only = false}, {.url = db.url()}, say, nullptr);

    for (int round = 0; round < 40; ++round) {
        const generated_table table(random, db);
        postgres::connection catalog_connection{{.url = db.url()}};
        const auto over = postgres::read_catalog(catalog_connection)->find("public.t");
        REQUIRE(over);
        pqxx::connection connection = db.connect();
        pqxx::work work{connection};
        work.exec("set local timezone to 'UTC'");
        const std::vector<logged> log = read_log(work);
        REQUIRE_FALSE(log.empty()); // how much the random writes come to varies
        postgres::connection claiming{{.url = db.url(), .read_only = false}};
        REQUIRE(reader.open(postgres::claim_identity(claiming)).has_value());
        std::map<std::string, std::string> sql_by_text;
        std::map<std::string, std::vector<truth>> truths_by_text;

        for (int tries = 0; tries < 25; ++tries) {
            const scenario user(random, table);
            CAPTURE(round, tries, user.rules_sql, user.filter_sql);
            policy::rules all;
            all.tables["public.t"] = user.rules;
            all.tables["public.t"].push_back({{"admin"}, {}, {}, {}});
            policy::identity who{"someone", {"member"}, {user.claims}, {}};
            who.sets = user.sets;

            const auto authorized = policy::authorize(all, over, who, user.request);
            if (!user.may_ask()) {
                REQUIRE_FALSE(authorized.has_value());
                REQUIRE(authorized.error().code == core::error_code::forbidden_column);
                continue;
            }
            if (!authorized) {
                FAIL(authorized.error().message);
            }
            const auto answers = ask_postgres(work, user);

            // Each predicate by itself: the same one of three truths, and the same text only for the same truths.
            for (std::size_t i = 0; i < user.rules.size(); ++i) {
                const auto bound = policy::bound_predicate::bind(user.rules[i].where, *over, &who).value();
                std::vector<truth> truths;
                for (const logged& each : log) {
                    for (const bool is_new : {true, false}) {
                        const core::row& row = is_new ? each.change.after : each.change.before;
                        if (row.present()) {
                            CAPTURE(row.json(), user.rules_sql[i]);
                            truths.push_back(bound.evaluate(row));
                            REQUIRE(truths.back() == answers.at({each.id, is_new}).rules[i]);
                        }
                    }
                }
                CAPTURE(bound.text(), user.rules_sql[i], sql_by_text[bound.text()]);
                sql_by_text[bound.text()] = user.rules_sql[i];
                REQUIRE(truths_by_text.emplace(bound.text(), truths).first->second == truths);
            }

            const auto rows = initial_rows(reader, *authorized);
            REQUIRE(rows == expected_rows(work, user, table));
            initial += rows.size();

            const auto index = authorized->indexable();
            for (const logged& each : log) {
                const auto look = [&](bool is_new) {
                    const auto found = answers.find({each.id, is_new});
                    return found == answers.end() ? std::nullopt : user.visible(found->second, table);
                };
                const auto before = look(false);
                const auto after = look(true);
                const std::string wanted = expected(each.change, before, after, table, user.request.old);
                CAPTURE(each.change.before.json(), each.change.after.json());
                REQUIRE(seen(authorized->see(each.change)) == wanted);
                (wanted == "nothing" ? hidden : events)++;
                REQUIRE((!before || is_found(index, each.change.before)));
                REQUIRE((!after || is_found(index, each.change.after)));

                const auto by_key = authorized->see(cut_to_key(each.change, table.key));
                if (!std::holds_alternative<visibility::unknowable>(by_key)) {
                    ++decided_by_key;
                    REQUIRE(before.has_value() ==
                            (std::holds_alternative<policy::effect>(by_key) && each.change.before.present()));
                    REQUIRE(after.has_value() ==
                            (std::holds_alternative<policy::effect>(by_key) && each.change.after.present()));
                }
            }
        }
        reader.close(); // the next round drops the table
    }
    // A test of nothing but hidden rows, or of none, would prove nothing.
    CHECK(events + hidden >= 10'000);
    CHECK(events > 500);
    CHECK(hidden > 500);
    CHECK(decided_by_key > 100);
    CHECK(initial > 500);
}
