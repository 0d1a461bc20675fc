#include "sql/captured.hpp"

using namespace rowcast::test;
using rowcast::support::database;
using rowcast::support::with_rowcast;

namespace {

// Three levels; the leaves have their columns in another order, and one has dropped some.
void make_tree(const database& db)
{
    db.execute(R"(
        create table t (id int, v text, primary key (id)) partition by range (id);
        create table t_middle partition of t for values from (0) to (100) partition by range (id);
        create table t_leaf (gone int, v text, id int not null); alter table t_leaf drop column gone;
        alter table t_middle attach partition t_leaf for values from (0) to (50);
        create table t_leaf2 partition of t_middle for values from (50) to (100);
        create table t_other partition of t for values from (100) to (200);
        select rowcast.watch('t', notify => true))");
}

lines refresh(const database& db)
{
    lines result;
    for (const auto& row : db.execute("select concat_ws(' ', table_name, action, case when action in ('resync', 'refused') then detail end) from rowcast.refresh()"))
        result.push_back(row[0].c_str());
    return result;
}

}

TEST_CASE("writes to every level of a partitioned table are reported under the root's name")
{
    const database db{with_rowcast};
    make_tree(db);
    const auto table = GENERATE(as<std::string>{}, "t", "t_middle", "t_leaf");
    // The body is the row as that relation has it: members may be in the leaf's own order.
    const auto logged = captured_by(db, "insert into " + table + " (id, v) values (1, 'a'), (2, 'b'); update " + table
                                            + " set v = 'c' where id = 1; delete from " + table);
    REQUIRE(logged.size() == 5);
    const auto rows = db.execute("select op, table_name, coalesce(new, old)->>'id', coalesce(new, old)->>'v', key_columns::text "
                                 "from rowcast.change_log order by id");
    const lines expected{"INSERT 1 a", "INSERT 2 b", "UPDATE 1 c"};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        CHECK(std::string(rows[i][1].c_str()) == "public.t");
        CHECK(std::string(rows[i][4].c_str()) == "{id}");
        if (i < 3)
            CHECK(rows[i][0].c_str() + (' ' + std::string(rows[i][2].c_str())) + ' ' + rows[i][3].c_str() == expected[i]);
    }
}

TEST_CASE("a partition attached later is covered through its root at once, and by itself after refresh")
{
    const database db{with_rowcast};
    make_tree(db);
    db.execute("create table t_new partition of t for values from (200) to (300)");
    CHECK(captured_by(db, "insert into t values (201, 'a')") == lines{R"(INSERT t {"id":201,"v":"a"})"});
    CHECK(captured_by(db, "insert into t_new values (202, 'b')").empty());
    CHECK(std::string(db.execute("select triggers from rowcast.watched")[0][0].c_str()) == "missing");
    CHECK(refresh(db) == lines{"public.t_new attached", "public.t resync partition_attached"});
    CHECK(captured(db) == lines{"RESYNC t partition_attached"});
    CHECK(captured_by(db, "insert into t_new values (203, 'b')") == lines{R"(INSERT t {"id":203,"v":"b"})"});
    CHECK(refresh(db).empty());
    CHECK(std::string(db.execute("select triggers from rowcast.watched")[0][0].c_str()) == "ok");
}

TEST_CASE("a new partition that is empty is no reason to read again")
{
    const database db{with_rowcast};
    make_tree(db);
    db.execute("create table t_new partition of t for values from (200) to (300)");
    CHECK(refresh(db) == lines{"public.t_new attached"});
    CHECK(captured(db).empty());
}

TEST_CASE("truncating the whole is one event, truncating a part a resync")
{
    const database db{with_rowcast};
    make_tree(db);
    CHECK(captured_by(db, "truncate t") == lines{"TRUNCATE t"});
    CHECK(captured_by(db, "truncate t_leaf") == lines{"RESYNC(TRUNCATE) t partition_truncated"});
    CHECK(captured_by(db, "truncate t_middle") == lines{"RESYNC(TRUNCATE) t partition_truncated"});
    CHECK(captured_by(db, "begin; truncate t; insert into t values (1, 'a'); truncate t_leaf; commit")
          == lines{"TRUNCATE t", R"(INSERT t {"id":1,"v":"a"})", "RESYNC(TRUNCATE) t partition_truncated"});
    CHECK(captured_by(db, "begin; savepoint s; truncate t; rollback to s; truncate t_leaf; commit")
          == lines{"RESYNC(TRUNCATE) t partition_truncated"});
}

TEST_CASE("a detached partition is no longer reported, from its detaching on, and refresh tells")
{
    const database db{with_rowcast};
    make_tree(db);
    db.execute("alter table t detach partition t_other");
    CHECK(captured_by(db, "insert into t_other values (1, 'x')").empty());
    CHECK(refresh(db) == lines{"public.t_other detached", "public.t resync partition_detached"});
    CHECK(captured(db) == lines{"RESYNC t partition_detached"});
    // As rowcast_refresh does not own the table, its owner may drop them; they are idle.
    CHECK(captured_by(db, "insert into t_other values (2, 'x'); truncate t_other").empty());
    CHECK(db.execute("select rowcast.unwatch('t')")[0][0].as<bool>());
    CHECK(db.execute("select from pg_trigger where tgname like '!rowcast%'").empty());
}

TEST_CASE("a dropped partition is a reason to read again")
{
    const database db{with_rowcast};
    make_tree(db);
    db.execute("drop table t_other");
    const auto did = refresh(db);
    REQUIRE(did.size() == 2);
    CHECK(did[1] == "public.t resync partition_dropped");
    CHECK(captured(db) == lines{"RESYNC t partition_dropped"});
    CHECK(refresh(db).empty());
}

TEST_CASE("a trigger that was disabled and enabled again is noticed")
{
    const database db{with_rowcast};
    make_tree(db);
    const auto table = GENERATE(as<std::string>{}, "t", "t_leaf");
    db.execute("alter table " + table + " disable trigger user; insert into " + table + " (id, v) values (1, 'missed'); alter table " + table
               + " enable trigger user");
    CHECK(captured(db).empty());
    const auto did = refresh(db);
    REQUIRE_FALSE(did.empty());
    CHECK(did.back() == "public.t resync trigger_disabled");
    CHECK(captured(db) == lines{"RESYNC t trigger_disabled"});
    CHECK(refresh(db).empty());
}

TEST_CASE("a disabled trigger is named by the view and by every refresh until its owner enables it")
{
    const database db{with_rowcast};
    make_tree(db);
    db.execute("alter table t_leaf disable trigger user");
    CHECK(std::string(db.execute("select triggers from rowcast.watched")[0][0].c_str()) == "disabled");
    CHECK(refresh(db).back() == "public.t resync trigger_disabled");
    CHECK(refresh(db) == lines{"public.t_leaf refused a trigger is disabled, and only the owner of public.t_leaf may enable it"});
    db.execute("alter table t_leaf enable trigger user");
    CHECK(refresh(db).back() == "public.t resync trigger_disabled");
    CHECK(refresh(db).empty());
}

TEST_CASE("unwatching takes the triggers from every level")
{
    const database db{with_rowcast};
    make_tree(db);
    CHECK(db.execute("select rowcast.unwatch('t')")[0][0].as<bool>());
    CHECK(db.execute("select count(*) from pg_trigger where tgname like '!rowcast%'")[0][0].as<int>() == 0);
    CHECK(db.execute("select count(*) from pg_proc where proname like 'capture\\_%' and prorettype = 'trigger'::regtype")[0][0].as<int>() == 0);
    CHECK(captured_by(db, "insert into t values (1, 'a'); insert into t_leaf (id) values (2)").empty());
}
