#include "postgres/set_reader.hpp"

#include "config/load.hpp"
#include "postgres/catalog_reader.hpp"
#include "support/database.hpp"
#include "support/manual.hpp"

#include <catch2/catch.hpp>

using namespace rowcast;
using rowcast::support::database;
using rowcast::support::with_rowcast;

namespace {

using texts = std::vector<std::string>;

struct scene {
    database db{with_rowcast};
    observe::sink nobody = [](const observe::observation&) {};
    std::unique_ptr<postgres::connection> on;
    policy::catalog_ptr watched;
    std::unique_ptr<postgres::set_reader> reader;

    scene()
    {
        db.execute("create table members (room int, user_id int, level text, primary key (room, user_id));"
                   "create index on members (user_id);"
                   "create table users (id int primary key, name text, team int);"
                   "create view active as select * from members where level <> 'gone';"
                   "create function rooms_of(u int) returns setof int language sql stable as 'select room from members where user_id = u';"
                   "create table parts (room int, user_id int, primary key (room, user_id)) partition by hash (user_id);"
                   "create table part_0 partition of parts for values with (modulus 1, remainder 0);"
                   "insert into members select n / 10, n % 10, 'x' from generate_series(0, 99) n;"
                   "select rowcast.watch('members', notify => true), rowcast.watch('users', notify => true), rowcast.watch('parts', notify => true)");
        on = std::make_unique<postgres::connection>(postgres::connection_options{.url = db.url()});
        watched = postgres::read_catalog(*on);
        reader = std::make_unique<postgres::set_reader>(postgres::connection_options{.url = db.url()}, nobody, nullptr);
    }

    postgres::set_statement prepare(std::string query, std::size_t parameters = 1, texts watch = {"public.members"})
    {
        policy::set_definition of{"mine", std::move(query), {}, std::move(watch), {}};
        of.parameters.assign(parameters, core::value{});
        return reader->prepare(of, *watched);
    }
    // "user_id = $1", or "" where any change may matter.
    std::string key(std::string query, std::size_t parameters = 1, texts watch = {"public.members"})
    {
        const auto how = prepare(std::move(query), parameters, std::move(watch));
        INFO(how.problem);
        CHECK(how.problem.empty());
        const policy::set_dependency& first = how.plan->at(0);
        return first.column.empty() ? "" : first.column + " = $" + std::to_string(first.argument + 1);
    }
};

} // namespace

TEST_CASE("PostgreSQL says by which column a set's rows are found")
{
    scene at;
    CHECK(at.key("select room from members where user_id = $1") == "user_id = $1");
    CHECK(at.key("select room from members m where $2 = level and m.user_id = $1::int and room > 3;", 2) == "user_id = $1");
    CHECK(at.key("select room from active where user_id = $1 -- mine") == "user_id = $1");
    CHECK(at.key("select rooms_of from rooms_of($1)") == "user_id = $1");
    CHECK(at.key("select a.room from members a join members b using (room) where a.user_id = $1 and b.user_id = $1") == "user_id = $1");
    CHECK(at.key("select m.room from users u join members m on m.user_id = u.id where u.id = $1") == "user_id = $1");
    CHECK(at.key("select id from users where name = $1", 1, {"public.users"}) == "name = $1");

    CHECK(at.key("select room from members where user_id = $1 or level = 'public'") == "");
    CHECK(at.key("select a.room from members a join members b using (room) where b.user_id = $1") == "");
    CHECK(at.key("select m.room from users u join members m on m.user_id = u.id where u.name = $1") == "");
    CHECK(at.key("select room from members where user_id = (select team from users where id = $1)") == "");
    CHECK(at.key("select room from members where user_id::text = $1") == "");
    CHECK(at.key("select room from members", 0) == "");
    CHECK(at.key("select room from parts where user_id = $1", 1, {"public.parts"}) == "");
    CHECK(at.key("select 1 where $1::int > 0") == "");
}

TEST_CASE("the manual's set is one whose changes cost the users that they concern")
{
    const auto read = config::parse(support::yaml_example("docs/configuration.md", "sets:"), [](std::string_view) { return std::nullopt; });
    const policy::set_definition& rooms = *std::get<config::configuration>(read).rules.sets.at("my_rooms");
    scene at;
    const auto how = at.reader->prepare(rooms, *at.watched);
    CHECK(how.problem.empty());
    CHECK(how.plan->at(0).column == "user_id");
    CHECK(at.reader->read(how, {{"7"}}, {}).at(0).texts.size() == 10);
}

TEST_CASE("a set's query that cannot be used says why")
{
    scene at;
    const auto problem = [&](std::string query, std::size_t parameters = 1, texts watch = {"public.members"}) {
        const auto how = at.prepare(std::move(query), parameters, std::move(watch));
        CHECK(how.sql.empty());
        return how.problem;
    };
    CHECK(problem("select room from membres where user_id = $1").find("membres") != std::string::npos);
    CHECK(problem("select room from members where user_id = $1", 2).find("has 1 parameter, and params lists 2") != std::string::npos);
    CHECK(problem("select room, level from members where user_id = $1").find("2 columns") != std::string::npos);
    CHECK(problem("select room from members where user_id = $1", 1, {"public.rooms"}).find("public.rooms is not watched") == 0);
    CHECK_FALSE(problem("delete from members where user_id = $1 returning room").empty());
}

TEST_CASE("many calls of a set are answered by one statement, each with its own values")
{
    scene at;
    const auto how = at.prepare("select room from members where user_id = $1 and room < $2::text::int and '$1' <> $$ $2 $$", 2);
    REQUIRE(how.problem.empty());
    std::vector<texts> calls;
    for (int i = 0; i < 1200; ++i) {
        calls.push_back({std::to_string(i % 12), std::to_string(i % 7)});
    }
    const auto found = at.reader->read(how, calls, {});
    REQUIRE(found.size() == calls.size());
    for (std::size_t i = 0; i < calls.size(); ++i) {
        CHECK(found[i].problem.empty());
        CHECK(found[i].texts.size() == (i % 12 < 10 ? i % 7 : 0));
    }
}

TEST_CASE("a call that cannot be answered fails alone")
{
    scene at;
    const auto how = at.prepare("select room from members where user_id = $1");
    const auto found = at.reader->read(how, {{"1"}, {"none"}, {"99999999999"}, {"2"}}, {});
    CHECK(found[0].texts.size() == 10);
    CHECK(found[3].texts.size() == 10);
    CHECK(found[1].misfit == "22P02");
    CHECK(found[2].misfit == "22003");
    for (const std::size_t bad : {1U, 2U}) {
        CHECK_FALSE(found[bad].problem.empty());
        CHECK_FALSE(found[bad].is_unreadable());
    }
    const auto many = at.prepare("select generate_series(1, $1::int)");
    const auto counted = at.reader->read(many, {{"10000"}, {"10001"}}, {});
    CHECK(counted[0].texts.size() == 10'000);
    CHECK(counted[1].problem.find("more than 10000") != std::string::npos);
    CHECK(counted[1].is_unreadable());
    const auto nulls = at.prepare("select nullif(room, 1) from members where user_id = $1");
    const auto content = at.reader->read(nulls, {{"1"}}, {}).front();
    CHECK(content.has_null);
    CHECK(content.texts.size() == 9);
}

TEST_CASE("a server that has not come as far as the change log is not believed")
{
    scene at;
    const auto how = at.prepare("select room from members where user_id = $1");
    core::snapshot future;
    future.xmin = future.xmax = 1'000'000'000'000;
    CHECK_THROWS_AS(at.reader->read(how, {{"1"}}, future), postgres::connection_lost);
    CHECK(at.reader->read(how, {{"1"}}, {}).front().texts.size() == 10);
}

TEST_CASE("a connection that was lost while nobody read sets is made anew")
{
    scene at;
    const auto how = at.prepare("select room from members where user_id = $1");
    at.db.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like '%rowcast_set%' "
                  "and pid <> pg_backend_pid()");
    CHECK(at.reader->read(how, {{"1"}}, {}).front().texts.size() == 10);
}
