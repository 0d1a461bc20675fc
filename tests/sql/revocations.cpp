#include "sql/captured.hpp"

#include "postgres/revocation_reader.hpp"

using namespace rowcast::test;
using rowcast::postgres::revocation_reader;
using rowcast::support::database;
using rowcast::support::with_rowcast;
using kind = rowcast::policy::revocation::kind;

TEST_CASE("a revocation says what, since when and until when")
{
    const database db{with_rowcast};
    db.execute("select rowcast.revoke('user', 'ann', '2 hours', 'left'); select rowcast.revoke('token', 't1'); select rowcast.revoke('session', 's1')");
    CHECK(db.execute("select from rowcast.revocations where kind = 'user' and name = 'ann' and reason = 'left' "
                     "and until = at + interval '2 hours' and at between now() - interval '1 minute' and clock_timestamp()").size() == 1);
    CHECK(db.execute("select from rowcast.revocations where until = at + interval '24 hours'").size() == 2);
}

TEST_CASE("revoked again, it is from now on, and for the longer time")
{
    const database db{with_rowcast};
    db.execute("select rowcast.revoke('user', 'ann', '2 hours', 'left')");
    const std::string first = db.execute("select at from rowcast.revocations")[0][0].c_str();
    db.execute("select rowcast.revoke('user', 'ann', '1 minute')");
    CHECK(db.execute("select from rowcast.revocations where at > '" + first + "' and until > at + interval '1 hour' and reason = 'left'").size() == 1);
}

TEST_CASE("a revocation of nobody, of another kind or for no time is refused")
{
    const database db{with_rowcast};
    CHECK_THAT(refusal(db, "select rowcast.revoke('user', '')"), Catch::Contains("check constraint"));
    CHECK_THAT(refusal(db, "select rowcast.revoke('role', 'x')"), Catch::Contains("check constraint"));
    CHECK_THAT(refusal(db, "select rowcast.revoke('user', repeat('x', 1001))"), Catch::Contains("check constraint"));
    CHECK_THAT(refusal(db, "select rowcast.revoke('user', null)"), Catch::Contains("not-null"));
    CHECK_THAT(refusal(db, "select rowcast.revoke('user', 'ann', '0')"), Catch::Contains("lasts for some time"));
    CHECK_THAT(refusal(db, "select rowcast.revoke('user', 'ann', null)"), Catch::Contains("lasts for some time"));
}

TEST_CASE("there are no more revocations than bridges keep in memory")
{
    const database db{with_rowcast};
    db.execute("insert into rowcast.revocations select 'user', i::text, now(), now() + interval '1 day', null, '1' from generate_series(1, 100000) i");
    CHECK_THAT(refusal(db, "select rowcast.revoke('user', 'ann')"), Catch::Contains("Change the key"));
}

TEST_CASE("retention removes revocations that have ended, and no others")
{
    const database db{with_rowcast};
    db.execute("select rowcast.revoke('user', 'ann'); select rowcast.revoke('user', 'bob', '1 microsecond')");
    db.execute("select rowcast.expire('1 hour', 1000000)");
    CHECK(std::string(db.execute("select string_agg(name, ' ') from rowcast.revocations")[0][0].c_str()) == "ann");
}

TEST_CASE("a thousand revocations of the same user take the room of one")
{
    const database db{with_rowcast};
    db.execute("do $$ begin for i in 1..1000 loop perform rowcast.revoke('user', 'ann'); commit; end loop; end $$");
    db.execute("vacuum rowcast.revocations");
    CHECK(db.execute("select count(*) from rowcast.revocations")[0][0].as<int>() == 1);
    CHECK(db.execute("select pg_relation_size('rowcast.revocations') + pg_indexes_size('rowcast.revocations')")[0][0].as<int>() < 1'000'000);
}

TEST_CASE("a bridge reads what holds, then what is new, also what commits after a younger one")
{
    const database db{with_rowcast};
    db.execute("select rowcast.revoke('user', 'old', '1 microsecond'); select rowcast.revoke('user', 'ann')");
    rowcast::postgres::connection on({.url = db.url()});
    revocation_reader reader;
    const auto first = reader.read(on);
    REQUIRE(first.size() == 1);
    CHECK(first[0].name == "ann");
    CHECK(first[0].until >= first[0].at + 24 * 3600);

    pqxx::connection slow = db.connect();
    pqxx::work open(slow);
    open.exec("select rowcast.revoke('token', 'slow')");
    db.execute("select rowcast.revoke('session', 'quick')");
    const auto has = [](const auto& all, kind what, const std::string& name) {
        return std::any_of(all.begin(), all.end(), [&](const auto& each) { return each.what == what && each.name == name; });
    };
    CHECK(has(reader.read(on), kind::session, "quick"));
    open.commit();
    CHECK(has(reader.read(on), kind::token, "slow"));
}
