#include "sql/captured.hpp"

using namespace rowcast::test;
using rowcast::support::database;
using rowcast::support::with_rowcast;

TEST_CASE("a writer without any right to rowcast writes as before")
{
    const database db{with_rowcast};
    const std::string role = db.name() + "_app";
    db.execute("create table t (id int primary key, v int); select rowcast.watch('t', notify => true); create role " + role
               + "; grant select, insert, update, delete, truncate on t to " + role);
    pqxx::connection connection{db.connect()};
    pqxx::nontransaction work{connection};
    work.exec("set role " + role + "; insert into t values (1, 1), (2, 2); update t set v = 3; update t set v = 4 where id = 1; delete from t; truncate t");
    CHECK_THROWS(work.exec("select * from rowcast.change_log"));
    work.exec("reset role");
    CHECK(captured(db).size() == 8);
    db.execute("drop owned by " + role + "; drop role " + role);
}

TEST_CASE("nothing in the writer's search_path is called")
{
    const database db{with_rowcast};
    // Functions, operators and a type named like those that the triggers use, before pg_catalog's.
    db.execute(R"(
        create table t (id int primary key, v int); select rowcast.watch('t', notify => true);
        create schema evil;
        create function evil.row_to_json(anyelement) returns json language plpgsql as 'begin raise exception ''called''; end';
        create function evil.row_to_json(record) returns json language plpgsql as 'begin raise exception ''called''; end';
        create function evil.pg_notify(text, text) returns void language plpgsql as 'begin raise exception ''called''; end';
        create function evil.nextval(regclass) returns bigint language plpgsql as 'begin raise exception ''called''; end';
        create function evil.record_image_ne(record, record) returns boolean language plpgsql as 'begin raise exception ''called''; end';
        create function evil.count() returns bigint language plpgsql as 'begin raise exception ''called''; end';
        create function evil.eq(bigint, bigint) returns boolean language plpgsql as 'begin raise exception ''called''; end';
        create operator evil.= (leftarg = bigint, rightarg = bigint, function = evil.eq);
        create domain evil.text as pg_catalog.text check (false))");
    CHECK(captured_by(db, "set search_path = evil, pg_catalog, public; insert into t values (1, 1), (2, 1); update t set v = 2; update t set v = 3 where id = 1")
              .size()
          == 5);
}

TEST_CASE("json is the same whatever the writer's session is set to")
{
    const database db{with_rowcast};
    const auto options = GENERATE(as<std::string>{}, "", ", columns => '{id,tz,tzs,ts,d,iv,f4,f8,fs,b,m,r,rr,dr,c,dom,mr,rc}'");
    db.execute(R"(
        create type comp as (at timestamptz, f float8, i interval, b bytea, r tstzrange);
        create domain moment as timestamptz;
        create table t (id int primary key, tz timestamptz, tzs timestamptz[], ts timestamp, d date, iv interval, f4 float4, f8 float8, fs float8[],
          b bytea, m money, r tstzrange, rr daterange, dr moment, c comp, dom moment[], mr )"
               + std::string(db.execute("show server_version_num")[0][0].as<int>() >= 140000 ? "tstzmultirange" : "tstzrange")
               + ", rc regclass); select rowcast.watch('t'" + options + ", notify => true)");
    const std::string insert = R"(insert into t values (1, '2026-11-21 10:00:00.123456+00', array['2026-11-21 10:00+00'::timestamptz], '2026-11-21 10:00', '2026-11-21',
        '1 year 2 mons 3 days 04:05:06.789', 1.1, 0.1, array[0.1, 1e300]::float8[], '\xdeadbeef', 1234.5::numeric::money,
        tstzrange('2026-11-21 10:00+00', null), daterange('2026-01-02', '2026-03-04'), '2026-11-21 10:00+00',
        row('2026-11-21 10:00+00', 0.1, '1 day 02:03', '\x00', tstzrange('2026-11-21 10:00+00', null)), array['2026-11-21 10:00+00'::moment],
        )" + std::string(db.execute("show server_version_num")[0][0].as<int>() >= 140000 ? "tstzmultirange(tstzrange('2026-11-21 10:00+00', null))"
                                                                                            : "tstzrange('2026-11-21 10:00+00', null)")
        + ", 't'::regclass)";
    const auto plain = captured_by(db, insert + "; update t set id = 2; delete from t");
    const auto strange = captured_by(db, R"(set search_path = public; set timezone = 'Asia/Kathmandu'; set datestyle = 'German, DMY';
        set intervalstyle = 'iso_8601'; set extra_float_digits = -10; set bytea_output = 'escape'; set lc_monetary = 'C';
        set xmlbinary = hex; )" + insert + "; update t set id = 2; delete from t");
    CHECK(plain == strange);
    CHECK_THAT(plain.at(0), Catch::Contains(R"("tz":"2026-11-21T10:00:00.123456+00:00","tzs":["2026-11-21T10:00:00+00:00"])")
                                && Catch::Contains(R"("f4":1.1,"f8":0.1,"fs":[0.1,1e+300],"b":"\\xdeadbeef")")
                                && Catch::Contains(R"x("r":"[\"2026-11-21 10:00:00+00\",)")x") && Catch::Contains(R"("rc":"public.t")"));
}

TEST_CASE("no statement's capture is compiled, and whether others are remains the writer's")
{
    const database db{with_rowcast};
    const auto own = GENERATE(as<std::string>{}, "on", "off");
    db.execute(R"(
        create table t (id int primary key, v int); select rowcast.watch('t', notify => true);
        create table seen (jit text);
        create function see() returns trigger language plpgsql security definer as $$ begin insert into public.seen values (current_setting('jit')); return null; end $$;
        create trigger see before insert on rowcast.change_log for each statement execute function see())");
    pqxx::connection connection{db.connect()};
    pqxx::nontransaction work{connection};
    work.exec("begin; set jit = " + own + "; insert into t select i, 0 from generate_series(1, 3) i; update t set v = 1; delete from t");
    CHECK(work.exec("select string_agg(distinct jit, ',') from seen")[0][0].as<std::string>() == "off");
    CHECK(work.exec("show jit")[0][0].as<std::string>() == own);
    work.exec("commit");
    CHECK(work.exec("show jit")[0][0].as<std::string>() == own);
}

TEST_CASE("values of every type arrive digit for digit")
{
    const database db{with_rowcast};
    db.execute(R"(
        create type mood as enum ('sad', 'so "happy"'); create domain small as int check (value < 10); create type pair as (a int8, b text);
        create table t (id int8 primary key, n numeric, i8 int8, f float8, r real, t text, c char(5), vc varchar(9), b bool, u uuid, j json, jb jsonb,
          e mood, d small, p pair, ps pair[], a int[][], ta text[], by bytea, ip inet, x xml, bits bit(3), tm time, tmz timetz, tv tsvector, pt point,
          gone int, "char" "char", g int generated always as (length(vc)) stored);
        alter table t drop column gone;
        select rowcast.watch('t', notify => true))");
    db.execute(R"(insert into t values (9007199254740993, 123456789012345678901234567890.12345678901234567890, -9223372036854775808, 'NaN', '-Infinity',
        E'tab\tquote" \\ \u00e9 \u2028 \U0001f600 \x01', 'ab', 'x', true, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"z": 1,  "a":1e400, "z":2}', '{"big": 12345678901234567890.10}',
        'so "happy"', 9, row(9007199254740993, null), array[row(1, 'x')::pair, null], '{{1,2},{3,null}}', '{"a,b","\"",NULL,"null"}', '\x00ff', '::1/64', '<a/>', b'101',
        '10:00:00.1', '10:00+05:30', 'a:1', '(1,2)', '*'))");
    const std::string body = db.execute("select new from rowcast.change_log")[0][0].c_str();
    CHECK(body
          == "{\"id\":9007199254740993,\"n\":123456789012345678901234567890.12345678901234567890,\"i8\":-9223372036854775808,\"f\":\"NaN\",\"r\":\"-Infinity\","
             "\"t\":\"tab\\tquote\\\" \\\\ \u00e9 \u2028 \U0001f600 \\u0001\",\"c\":\"ab   \",\"vc\":\"x\",\"b\":true,\"u\":\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\","
             "\"j\":{\"z\": 1,  \"a\":1e400, \"z\":2},\"jb\":{\"big\": 12345678901234567890.10},\"e\":\"so \\\"happy\\\"\",\"d\":9,"
             "\"p\":{\"a\":9007199254740993,\"b\":null},\"ps\":[{\"a\":1,\"b\":\"x\"},null],\"a\":[[1,2],[3,null]],\"ta\":[\"a,b\",\"\\\"\",null,\"null\"],"
             "\"by\":\"\\\\x00ff\",\"ip\":\"::1/64\",\"x\":\"<a/>\",\"bits\":\"101\",\"tm\":\"10:00:00.1\",\"tmz\":\"10:00:00+05:30\",\"tv\":\"'a':1\",\"pt\":\"(1,2)\","
             "\"char\":\"*\",\"g\":1}");
}

TEST_CASE("capture works at every isolation level, and serializable writers do not conflict through the log")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key, v int); create table u (id int primary key, v int); insert into t values (1, 0); insert into u values (1, 0);"
               "select rowcast.watch('t', notify => true), rowcast.watch('u', notify => true)");
    const auto level = GENERATE(as<std::string>{}, "repeatable read", "serializable");
    pqxx::connection one{db.connect()}, other{db.connect()};
    pqxx::nontransaction first{one}, second{other};
    first.exec("begin isolation level " + level + "; update t set v = v + 1");
    second.exec("begin isolation level " + level + "; update u set v = v + 1");
    first.exec("update t set v = v + 1");
    CHECK_NOTHROW(second.exec("update u set v = v + 1; commit"));
    CHECK_NOTHROW(first.exec("commit"));
    CHECK(captured(db).size() == 4);
}

TEST_CASE("what a savepoint takes back is not in the log, and what follows is")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key); select rowcast.watch('t', notify => true)");
    CHECK(captured_by(db, "begin; insert into t values (1); savepoint s; insert into t values (2); rollback to s; insert into t values (3); savepoint q; insert into t values (4); release q; commit")
          == lines{R"(INSERT t {"id":1})", R"(INSERT t {"id":3})", R"(INSERT t {"id":4})"});
    // One transaction, whatever its subtransactions.
    CHECK(db.execute("select count(distinct xid) from rowcast.change_log")[0][0].as<int>() == 1);
}

TEST_CASE("session_replication_role = replica is captured too")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key); select rowcast.watch('t', notify => true)");
    CHECK(captured_by(db, "set session_replication_role = replica; insert into t values (1); delete from t; truncate t")
          == lines{R"(INSERT t {"id":1})", R"(DELETE t was {"id":1})", "TRUNCATE t"});
}
