#include "sql/captured.hpp"

using namespace rowcast::test;
using rowcast::support::database;
using rowcast::support::with_rowcast;

TEST_CASE("no column or table name collides with the triggers' own names")
{
    const database db{with_rowcast};
    // Aliases, transition tables, variables and special variables that occur in a trigger function, all of them as columns.
    const std::string columns = R"(n text, o text, new text, old text, id int primary key, "row" text, "Quoted Name" text, "a""b'c\" text,
        t text, c text, f text, r text, p text, h text, s text, q text, k1 text, old1 text, new1 text, body text, shown text, wide text, large text,
        place text, turn text, key text, half text, moved text, logged text, news text, olds text, mark text, marks text, found text,
        tg_op text, tg_name text, tg_relid text, tg_level text, rowcast_new text, rowcast_old text, change_log text, rowcast text,
        capture_1 text, json text, "TimeZone" text, null_ text, "select" text, "%s %I %1$s" text, "$1" text, "$t$" text, "$function$" text)";
    const auto table = GENERATE(as<std::string>{}, "n", "r", "rowcast_new", R"("Odd "" Ta.ble")", "row_to_json", "\"new\"");
    const auto options = GENERATE(as<std::string>{}, "", R"(, "except" => '{n}')");
    INFO(table << options);
    db.execute("create table " + table + " (" + columns + ")");
    db.execute("select rowcast.watch('" + table + "'" + options + ", notify => true)");
    db.execute("insert into " + table + " (id, n, \"new\", \"Quoted Name\") values (1, 'N', 'NEW', 'Q'), (2, 'N', 'NEW', 'Q')");
    db.execute("insert into " + table + " (id) values (3)");
    db.execute("update " + table + " set o = 'O', \"old\" = 'OLD', \"$1\" = '1'");
    db.execute("update " + table + " set \"$t$\" = 'x' where id = 1");
    db.execute("update " + table + " set id = 0 where id = 3");
    db.execute("delete from " + table);
    const auto row = db.execute(
        "select count(*), count(*) filter (where op = 'UPDATE'), count(*) filter (where new->>'o' = 'O' and new->>'new' = 'NEW'), "
        "min(new->>'n'), min(new::jsonb->>'Quoted Name'), count(*) filter (where new->>'$1' = '1' and old->>'$1' is null) from rowcast.change_log")[0];
    CHECK(row[0].as<int>() == 12);
    CHECK(row[1].as<int>() == 4);
    CHECK(row[2].as<int>() == 3);
    CHECK(row[3].is_null() == !options.empty());
    CHECK(std::string(row[4].c_str()) == "Q");
    CHECK(row[5].as<int>() >= 3);
    CHECK(db.execute("select count(*) from rowcast.change_log where table_name = rowcast.table_name('" + table + "'::regclass)")[0][0].as<int>() == 12);
}
