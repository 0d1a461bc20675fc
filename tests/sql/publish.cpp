#include "sql/captured.hpp"

using namespace rowcast::test;
using rowcast::support::database;
using rowcast::support::with_rowcast;

TEST_CASE("a published message stands in the log among the changes of its transaction")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key); select rowcast.watch('t', notify => true)");
    CHECK(captured_by(db, R"(begin; insert into t values (1); select rowcast.publish('room:42', 'typing', '{"user": 7}'); insert into t values (2); commit)")
          == lines{R"(INSERT t {"id":1})", R"(MESSAGE room:42 typing {"user": 7})", R"(INSERT t {"id":2})"});
    CHECK(captured_by(db, "begin; select rowcast.publish('room', 'gone'); rollback; select rowcast.publish('room', 'stays')") == lines{"MESSAGE room stays"});
}

TEST_CASE("a channel, an event or a payload that is too much is refused with a hint")
{
    const database db{with_rowcast};
    const auto call = GENERATE(as<std::string>{}, "'', 'e'", "null, 'e'", "repeat('x', 201), 'e'", "E'a\\nb', 'e'", "'c', ''", "'c', null", "'c', repeat('x', 201)",
                               "'c', 'e', to_json(repeat('x', 8388608))");
    CHECK_THAT(refusal(db, "select rowcast.publish(" + call + ")"), Catch::Contains("HINT"));
    CHECK(captured(db).empty());
}

TEST_CASE("the longest channel and event fit into the doorbell")
{
    const database db{with_rowcast};
    db.execute(R"(select rowcast.publish(repeat(U&'\+01F600', 200), repeat('"', 200), to_json(repeat('x', 8000000))))");
    db.execute(R"(select rowcast.publish(repeat('"', 200), repeat('\', 200), null))");
    CHECK(captured(db).size() == 2);
}
