#include "sql/captured.hpp"

using namespace rowcast::test;
using rowcast::support::database;
using rowcast::support::with_rowcast;

namespace {

// An application's trigger that changes the row that fired it again, as many do to keep a sum or a time.
constexpr auto changes_the_row_again = R"(
    create table t (id int primary key, v int, again int default 0);
    create function again() returns trigger language plpgsql as $$
    begin
      update t set again = new.v where id = new.id and again is distinct from new.v;
      return null;
    end $$;)";

constexpr auto after_row = "create trigger again after insert or update of v on t for each row execute function again();";

lines values_of(const database& db, const std::string& id)
{
    lines result;
    for (const auto& row : db.execute("select op || ' ' || concat_ws(',', new->>'v', new->>'again') from rowcast.change_log "
                                      "where coalesce(new, old)->>'id' = '" + id + "' order by id"))
        result.push_back(row[0].c_str());
    return result;
}

}

TEST_CASE("what an AFTER ROW trigger of the application changes again is logged after the statement that fired it")
{
    const database db{with_rowcast};
    db.execute(changes_the_row_again);
    db.execute(after_row);
    db.execute("select rowcast.watch('t', notify => true)");
    db.execute("insert into t values (1, 10), (2, 20)");
    CHECK(values_of(db, "1") == lines{"INSERT 10,0", "UPDATE 10,10"});
    CHECK(values_of(db, "2") == lines{"INSERT 20,0", "UPDATE 20,20"});
    db.execute("delete from rowcast.change_log");
    db.execute("update t set v = v + 1");
    CHECK(values_of(db, "1") == lines{"UPDATE 11,10", "UPDATE 11,11"});
    CHECK(values_of(db, "2") == lines{"UPDATE 21,20", "UPDATE 21,21"});
    CHECK(db.execute("select count(*) from rowcast.change_log")[0][0].as<int>() == 4);
}

TEST_CASE("the order holds where a nested statement fails and the application goes on")
{
    const database db{with_rowcast};
    db.execute(changes_the_row_again);
    db.execute(R"(
        create or replace function again() returns trigger language plpgsql as $$
        begin
          begin
            update t set again = new.v where id = new.id and again is distinct from new.v;
            if new.id = 1 then perform 1 / 0; end if;
          exception when division_by_zero then null;
          end;
          return null;
        end $$;
        create trigger again after insert or update of v on t for each row execute function again();
        select rowcast.watch('t', notify => true);
        begin; savepoint s; insert into t values (9, 9), (8, 8); rollback to s; insert into t values (1, 10), (2, 20); update t set v = 5; commit)");
    CHECK(values_of(db, "1") == lines{"INSERT 10,0", "UPDATE 5,0"});
    CHECK(values_of(db, "2") == lines{"INSERT 20,0", "UPDATE 20,20", "UPDATE 5,20", "UPDATE 5,5"});
    CHECK(values_of(db, "9").empty());
}

TEST_CASE("refresh puts capture before a trigger that the application adds later, and watching again takes it back")
{
    const database db{with_rowcast};
    db.execute(changes_the_row_again);
    db.execute("select rowcast.watch('t', notify => true)");
    const auto row_triggers = [&] {
        return db.execute("select count(*) from pg_trigger where tgrelid = 't'::regclass and tgname like '!rowcast_row_%'")[0][0].as<int>();
    };
    CHECK(row_triggers() == 0);
    db.execute(after_row);
    db.execute("select * from rowcast.refresh()");
    CHECK(row_triggers() == 3);
    db.execute("delete from rowcast.change_log; insert into t values (1, 10), (2, 20)");
    CHECK(values_of(db, "2") == lines{"INSERT 20,0", "UPDATE 20,20"});
    db.execute("drop trigger again on t; select * from rowcast.refresh()");
    CHECK(captured_by(db, "insert into t values (3, 3), (4, 4)").size() == 2);
    db.execute("select rowcast.watch('t', notify => true)");
    CHECK(row_triggers() == 0);
    CHECK(captured_by(db, "insert into t values (5, 3), (6, 4)").size() == 2);
}

TEST_CASE("a statement trigger of the application whose name sorts first does not overtake either")
{
    const database db{with_rowcast};
    db.execute(R"(create table t (id int primary key, v int, again int default 0);
                  create function again() returns trigger language plpgsql as $$
                  begin if pg_trigger_depth() = 1 then update t set again = v; end if; return null; end $$;
                  create trigger " first" after insert on t execute function again();
                  select rowcast.watch('t', notify => true);
                  insert into t values (1, 10))");
    CHECK(values_of(db, "1") == lines{"INSERT 10,0", "UPDATE 10,10"});
}

TEST_CASE("watch warns of AFTER triggers on a partitioned table, where the order cannot be kept, and the view goes on saying so")
{
    const database db{with_rowcast};
    pqxx::connection connection{db.connect()};
    struct collector : pqxx::errorhandler {
        using pqxx::errorhandler::errorhandler;
        bool operator()(const char text[]) noexcept override { said += text; return true; }
        std::string said;
    } warnings{connection};
    pqxx::nontransaction work{connection};
    work.exec(R"(create table t (id int primary key) partition by range (id);
                 create function nothing() returns trigger language plpgsql as 'begin return null; end';
                 create trigger audit after insert on t for each row execute function nothing();
                 select rowcast.watch('t', notify => true))");
    CHECK_THAT(warnings.said, Catch::Contains("audit") && Catch::Contains("wrong order"));
    CHECK(std::string(work.exec("select misordering_triggers from rowcast.watched")[0][0].c_str()) == "{audit}");
}
