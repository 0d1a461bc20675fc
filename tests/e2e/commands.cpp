#include "sql/temporary_role.hpp"
#include "support/database.hpp"
#include "support/paths.hpp"
#include "support/process.hpp"

#include <catch2/catch.hpp>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

using namespace rowcast::support;
using Catch::Contains;

namespace {

struct outcome {
    int status;
    std::string output;
    std::string errors;
};

std::vector<std::string> command(std::vector<std::string> words)
{
    words.insert(words.begin(), rowcast_binary().string());
    return words;
}

outcome run_rowcast(std::vector<std::string> words,
                    std::vector<std::string> environment = {"DATABASE_URL=", "PGHOST=", "PGDATABASE="})
{
    process child{command(std::move(words)), std::move(environment)};
    child.close_input();
    outcome result;
    result.output = child.rest();
    result.errors = child.error_rest();
    result.status = child.wait();
    return result;
}

int occurrences(std::string_view text, std::string_view wanted)
{
    int count = 0;
    for (std::size_t at = text.find(wanted); at != text.npos; at = text.find(wanted, at + 1))
        ++count;
    return count;
}

// A file that is gone with the test.
class file {
public:
    explicit file(const std::string& text)
    {
        path_ = std::filesystem::temp_directory_path() / "rowcast-test-config.XXXXXX";
        const int descriptor = ::mkstemp(path_.data());
        REQUIRE(descriptor >= 0);
        ::close(descriptor);
        std::ofstream{path_} << text;
    }

    ~file() { std::filesystem::remove(path_); }

    const std::string& path() const { return path_; }

private:
    std::string path_;
};

}

TEST_CASE("a command line that is wrong ends with status 2, and says what was meant")
{
    CHECK(run_rowcast({}).status == 2);
    const outcome unknown = run_rowcast({"instal"});
    CHECK(unknown.status == 2);
    CHECK_THAT(unknown.errors, Contains("did you mean 'install'?"));
    CHECK(run_rowcast({"watch"}).status == 2);
    const outcome nowhere = run_rowcast({"status"});
    CHECK(nowhere.status == 2);
    CHECK_THAT(nowhere.errors, Contains("--database"));
}

TEST_CASE("help is there for every command, with status 0")
{
    const std::string all = run_rowcast({"--help"}).output;
    for (const char* name :
         {"serve", "install", "uninstall", "watch", "unwatch", "status", "tail", "explain", "check", "doctor", "token", "demo"}) {
        CAPTURE(name);
        CHECK_THAT(all, Contains(name));
        const outcome help = run_rowcast({name, "--help"});
        CHECK(help.status == 0);
        CHECK_THAT(help.output, Contains("Usage:"));
    }
}

TEST_CASE("a database that cannot be reached is status 4")
{
    const outcome result = run_rowcast({"status", "--database", "postgresql://127.0.0.1:1/nothing"});
    CHECK(result.status == 4);
    CHECK_THAT(result.errors, Contains("127.0.0.1:1"));
}

TEST_CASE("a database without rowcast says how to install it")
{
    const database db;
    const outcome result = run_rowcast({"status", "--database", db.url()});
    CHECK(result.status == 1);
    CHECK_THAT(result.errors, Contains("rowcast install"));
}

TEST_CASE("a table's life: install, watch, status, unwatch, uninstall")
{
    const database db;
    db.execute("create table t (id int primary key, secret text)");
    const std::vector<std::string> environment{"DATABASE_URL=" + db.url()};
    CHECK(run_rowcast({"install"}, environment).status == 0);
    CHECK(run_rowcast({"install"}, environment).status == 0); // again is nothing new
    const outcome watched = run_rowcast({"watch", "t", "--columns", "id", "--no-notify"}, environment);
    CHECK(watched.output == "watching public.t");
    const outcome without_options = run_rowcast({"watch", "t", "--no-notify"}, environment);
    CHECK_THAT(without_options.errors, Contains("public.t was watched already; from now on these columns are captured as well: secret"));
    CHECK(run_rowcast({"watch", "t", "--columns", "id", "--no-notify"}, environment).errors.empty());
    CHECK_THAT(run_rowcast({"status"}, environment).output, Contains(" public.t | id      | id  | quiet    | ok"));
    CHECK_THAT(run_rowcast({"status", "--json"}, environment).output, Contains("\"name\": \"public.t\""));
    CHECK(run_rowcast({"unwatch", "t"}, environment).output == "t is no longer watched");
    CHECK(run_rowcast({"unwatch", "t"}, environment).output == "t was not watched");

    const outcome unasked = run_rowcast({"uninstall"}, environment);
    CHECK(unasked.status == 2);
    CHECK_THAT(unasked.errors, Contains("--yes"));
    CHECK(run_rowcast({"uninstall", "--yes"}, environment).status == 0);
    CHECK(db.execute("select from pg_namespace where nspname = 'rowcast'").empty());
}

TEST_CASE("watching what does not exist is refused with PostgreSQL's own words")
{
    const database db{with_rowcast};
    const outcome result = run_rowcast({"watch", "nowhere", "--database", db.url()});
    CHECK(result.status == 1);
    CHECK_THAT(result.errors, Contains("nowhere") && Contains("does not exist"));
}

TEST_CASE("tail writes changes as they are committed, ends after as many as wanted, and goes on from its cursor")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key, n int); create table u (id int primary key)");
    db.execute("select rowcast.watch('t', notify => true), rowcast.watch('u', notify => true)");
    process tail{command({"tail", "--database", db.url(), "--table", "t", "--count", "2"})};
    // What is committed before it listens is not shown: so write until it has had enough.
    int id = 0;
    REQUIRE(eventually([&] {
        db.execute("insert into t values (" + std::to_string(++id) + ", 0)");
        return !tail.running();
    }));
    const std::string first = tail.rest();
    CHECK(occurrences(first, "{\"id\":\"") == 2);
    const std::string note = tail.error_rest();
    CHECK(tail.wait() == 0);
    const std::string cursor = note.substr(note.find("--since ") + 8);

    const std::string last_shown = first.substr(first.rfind("\"key\":{\"id\":") + 12);
    const int next = std::stoi(last_shown) + 1;
    db.execute("insert into u values (1)");
    db.execute("begin; insert into t values (1000, 0); update t set n = 5 where id = 1000; commit");
    const int remaining = id - next + 1;
    const outcome rest = run_rowcast(
        {"tail", "--database", db.url(), "--table", "t", "--since", cursor, "--count", std::to_string(remaining + 2)});
    CHECK(rest.status == 0);
    CHECK(occurrences(rest.output, "{\"id\":\"") == remaining + 2);
    CHECK_THAT(
        rest.output,
        Contains(
            R"("op":"UPDATE","cause":"UPDATE","row":{"id":1000,"n":5},"old":{"n":0},"changed":["n"],"key":{"id":1000})"));
    CHECK_THAT(rest.output, !Contains("public.u"));
}

TEST_CASE("tail refuses a cursor that was made up, and a table that is not watched")
{
    const database db{with_rowcast};
    CHECK_THAT(run_rowcast({"tail", "--database", db.url(), "--table", "nope"}).errors, Contains("rowcast watch nope"));
    const outcome result = run_rowcast({"tail", "--database", db.url(), "--since", "AAAA"});
    CHECK(result.status == 1);
}

TEST_CASE("check tells every mistake with its line, and ends with status 3")
{
    const file wrong{"tables:\n  public.t:\n    - {roles: [a], wher: {id: 1}}\n"};
    const outcome result = run_rowcast({"check", "--config", wrong.path()});
    CHECK(result.status == 3);
    CHECK_THAT(result.errors, Contains(wrong.path() + ":3:") && Contains("where"));
    CHECK(run_rowcast({"serve", "--config", wrong.path()}).status == 3);
}

TEST_CASE("check holds the rules against a database")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key, n int); select rowcast.watch('t', notify => true)");
    const file fits{"tables:\n  public.t:\n    - {roles: [a], where: {n: 1}}\n"};
    const outcome good = run_rowcast({"check", "--config", fits.path(), "--database", db.url()});
    CHECK(good.status == 0);
    CHECK_THAT(good.output, Contains("1 rule for 1 table, which fit the database"));
    const file misfit{"tables:\n  public.t:\n    - {roles: [a], where: {m: 1}}\n"};
    const outcome bad = run_rowcast({"check", "--config", misfit.path(), "--database", db.url()});
    CHECK(bad.status == 3);
    CHECK_THAT(bad.errors, Contains("'m'"));
}

TEST_CASE("check tells all that is wrong at once: keys, rules, sets, rights and expectations, each with its place")
{
    const database db{with_rowcast};
    const rowcast::test::temporary_role reader{db, "rows", "login"};
    db.execute("create schema hidden; create table hidden.h (id int primary key);"
               "create table t (id int primary key, n int, secret text); create table members (room int primary key, user_id int);"
               "grant select (id, n) on t to " + reader.name + "; grant select on members to " + reader.name + ";"
               "select rowcast.watch('hidden.h', notify => true), rowcast.watch('t', array['id', 'n'], notify => true),"
               "       rowcast.watch('members', notify => true)");
    const std::string rest = "auth: {jwt: [{algorithm: RS256, public_key: /nowhere/key.pem}]}\n"
                             "tables:\n"
                             "  public.t: [{roles: [a], where: {m: 1}}]\n"
                             "  hidden.h: [{roles: [customer]}]\n"
                             "sets:\n"
                             "  one: {query: 'select roomm from members where user_id = $1', params: [1], watch: [public.members]}\n"
                             "  two: {query: 'select room, user_id from members', watch: [public.members, public.gone]}\n"
                             "  three: {query: 'select room from members where user_id = $1', watch: [public.members]}\n"
                             "  four: {query: 'select room from members where user_id = $1', params: [1], watch: [public.members]}\n"
                             "expectations:\n"
                             "  - {user: {sub: 1, roles: [custmer]}, table: hidden.h, row: {id: 1}, sees: row}\n";
    const file all{"database: {rows: {url: '" + db.url() + "&user=" + reader.name + "'}}\n" + rest};
    const outcome found = run_rowcast({"check", all.path(), "--database", db.url()});
    CHECK(found.status == 3);
    CHECK_THAT(found.errors, Contains(":2:14: error: auth.jwt: the file of public_key, /nowhere/key.pem"));
    CHECK_THAT(found.errors, Contains(":4:38: error: public.t has no captured column 'm'"));
    CHECK_THAT(found.errors, Contains(":5:14: warning: hidden.h: the role " + reader.name + " may not read it") &&
                                 Contains("run: grant usage on schema hidden to " + reader.name + "; grant select on hidden.h to " + reader.name + ";"));
    CHECK_THAT(found.errors, !Contains("public.t: the role") && !Contains("public.members: the role"));
    CHECK_THAT(found.errors, Contains(":7:8: error: sets.one.query: ") && Contains("roomm"));
    CHECK_THAT(found.errors, Contains(":8:8: error: sets.two watches public.gone") && Contains(":8:8: error: sets.two.query: the query gives 2 columns"));
    CHECK_THAT(found.errors, Contains(":9:10: error: sets.three.query: the query has 1 parameter, and params lists 0"));
    CHECK_THAT(found.errors, !Contains("sets.four"));
    CHECK_THAT(found.errors, Contains(":12:29: warning: no rule is for the role 'custmer'; did you mean 'customer'?"));
    CHECK_THAT(found.errors, Contains("expected the user to see the whole row"));

    const file elsewhere{"database: {rows: {url: 'postgresql://127.0.0.1:1/nothing'}}\n" + rest};
    CHECK_THAT(run_rowcast({"check", elsewhere.path(), "--database", db.url()}).errors, Contains("warning: the role that reads initial rows"));
    const outcome away = run_rowcast({"check", all.path(), "--database", "postgresql://127.0.0.1:1/nothing"});
    CHECK(away.status == 4);
    CHECK_THAT(away.errors, Contains("/nowhere/key.pem"));
}

TEST_CASE("revoke says whom, and until when")
{
    const database db{with_rowcast};
    const outcome done = run_rowcast({"revoke", "--user", "ann", "--for", "2h", "--reason", "lost", "--database", db.url()});
    CHECK(done.status == 0);
    CHECK_THAT(done.output, Contains("The user ann is revoked, until 20"));
    CHECK(db.execute("select from rowcast.revocations where (kind, name, reason) = ('user', 'ann', 'lost') and until = at + interval '2 hours'").size() == 1);
    CHECK(run_rowcast({"revoke", "--token", "t1", "--database", db.url()}).status == 0);
    CHECK(run_rowcast({"revoke", "--database", db.url()}).status == 2);
    CHECK(run_rowcast({"revoke", "--user", "a", "--token", "b", "--database", db.url()}).status == 2);
    CHECK(run_rowcast({"revoke", "--user", "a", "--for", "soon", "--database", db.url()}).status == 2);
    CHECK(run_rowcast({"revoke", "--user", "a", "--database", "postgresql://127.0.0.1:1/nothing"}).status == 4);
}

TEST_CASE("check runs the file's expectations, and explains those that are not met")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key, owner int, secret text); select rowcast.watch('t', notify => true)");
    const auto expecting = [](const std::string& sees) {
        return "tables:\n  public.t:\n    - {where: {owner: $claims.sub}, columns: [id, owner]}\n"
               "expectations:\n  - {user: {sub: 7}, table: public.t, row: {id: 1, owner: 7}, sees: " + sees + "}\n";
    };
    const file met{expecting("[id, owner]")};
    const outcome good = run_rowcast({"check", met.path(), "--database", db.url()});
    CHECK(good.status == 0);
    CHECK_THAT(good.output, Contains("1 of 1 expectation met."));
    CHECK(run_rowcast({"check", met.path(), "--offline", "--database", "postgresql://127.0.0.1:1/nothing"}).status == 0);

    const file unmet{expecting("row")};
    const outcome bad = run_rowcast({"check", unmet.path(), "--database", db.url()});
    CHECK(bad.status == 1);
    CHECK_THAT(bad.errors, Contains(":5:69: error: expected the user to see the whole row, and they see id, owner") &&
                               Contains("    ✓ rule 1, line 3, for everybody; gives id, owner"));
    const outcome machines = run_rowcast({"check", unmet.path(), "--json", "--database", db.url()});
    CHECK(machines.status == 1);
    CHECK_THAT(machines.output, Contains(R"([{"line":5,"column":69,"severity":"error")") && Contains(R"("verdict":"sent")"));
}

TEST_CASE("explain says why a user gets a row or does not: as it is now, as it was logged, or as it is written down")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key, owner int, secret text); select rowcast.watch('t', notify => true)");
    db.execute("insert into t values (1, 7, 'x')");
    db.execute("update t set owner = 8");
    const file rules{"tables:\n  public.t:\n    - {roles: [a], where: {owner: $claims.sub}, columns: [id, owner]}\n"};
    const auto explain = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {"explain", "--config", rules.path(), "--database", db.url(), "--role", "a"});
        return run_rowcast(words);
    };
    const outcome now = explain({"--table", "t", "--key", R"({"id": 1})", "--user", "7"});
    CHECK(now.status == 1);
    CHECK_THAT(now.output, Contains("✗ rule 1, line 3, for a") &&
                               Contains(R"(✗ owner eq $claims.sub  (the row has 8, $claims.sub is "7"))") &&
                               Contains("Not sent: no rule for this user holds."));
    const std::string id = db.execute("select max(id) from rowcast.change_log")[0][0].c_str();
    const outcome logged = explain({"--change", id, "--user", "7", "--json"});
    CHECK(logged.status == 0);
    CHECK_THAT(logged.output, Contains(R"("verdict":"sent")") && Contains(R"("op":"DELETE","cause":"UPDATE")"));
    const outcome written = explain({"--table", "public.t", "--row", R"({"owner": 9})", "--claims", R"({"sub": 9, "roles": "a"})"});
    CHECK(written.status == 0);
    CHECK(explain({"--table", "t", "--row", R"({"id": 1, "ownr": 9})", "--user", "9"}).status == 2);
    CHECK(explain({"--table", "t", "--key", R"({"id": "x"})", "--user", "9"}).status == 2);
    CHECK(explain({"--user", "9"}).status == 2);

    const rowcast::test::temporary_role stranger{db, "stranger", "login"};
    const outcome refused = run_rowcast({"explain", "--config", rules.path(), "--database", db.url() + "&user=" + stranger.name, "--table", "t", "--key", R"({"id": 1})"});
    CHECK(refused.status == 1);
    CHECK_THAT(refused.errors, Contains("permission denied"));
}

TEST_CASE("explain reads what a set holds for the user, where there is a database and nobody says it")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key, room int); create table members (room int, user_id int, primary key (room, user_id));"
               "insert into members values (1, 7); select rowcast.watch('t', notify => true), rowcast.watch('members', notify => true)");
    const file rules{"tables:\n  public.t:\n    - {where: {room: {in: $sets.rooms}}}\n"
                     "channels: {'*': [{where: {channel: {in: $sets.rooms}}}]}\n"
                     "sets: {rooms: {query: 'select room from members where user_id = $1', params: [$claims.sub], watch: [public.members]}}\n"};
    const auto explain = [&](std::vector<std::string> words, const std::string& url) {
        words.insert(words.begin(), {"explain", "--config", rules.path(), "--user", "7"});
        if (!url.empty()) {
            words.insert(words.end(), {"--database", url});
        }
        return run_rowcast(words);
    };
    const std::vector<std::string> row{"--table", "t", "--row", R"({"id": 5, "room": 1})"};
    const outcome seen = explain(row, db.url());
    CHECK(seen.status == 0);
    CHECK_THAT(seen.output, Contains(R"(✓ room in $sets.rooms  (the row has 1, $sets.rooms is ["1"]))"));
    auto said = row;
    said.insert(said.end(), {"--set", "rooms=[2]"});
    CHECK(explain(said, db.url()).status == 1);
    CHECK(explain({"--channel", "1"}, db.url()).status == 0);
    const outcome offline = explain({"--channel", "1"}, "");
    CHECK(offline.status == 1);
    CHECK_THAT(offline.output, Contains("what the set 'rooms' holds for this user is not known"));
    CHECK(explain({"--channel", "1"}, "postgresql://127.0.0.1:1/nothing").status == 4);
}

TEST_CASE("token wants something to sign with")
{
    CHECK(run_rowcast({"token", "--sub", "7"}, {"JWT_SECRET="}).status == 2);
    const outcome made = run_rowcast({"token", "--sub", "7", "--role", "customer"},
                                     {"JWT_SECRET=0123456789012345678901234567890123456789"});
    CHECK(made.status == 0);
    CHECK(occurrences(made.output, ".") == 2);
    CHECK(run_rowcast({"token", "--expires", "soon"}, {"JWT_SECRET=0123456789012345678901234567890123456789"}).status ==
          2);
}

TEST_CASE("serve runs without its database, and ends on SIGTERM with status 0")
{
    const file settings{"database: {url: 'postgresql://127.0.0.1:1/nothing'}\n"
                        "server: {listen: '127.0.0.1:0', admin: '127.0.0.1:0'}\n"};
    process serve{command({"serve", "--config", settings.path()})};
    serve.error_line_with("listening on 127.0.0.1:");
    serve.error_line_with("no connection to PostgreSQL");
    serve.signal(SIGTERM);
    CHECK(serve.wait() == 0);
    CHECK_THAT(serve.error_rest(), Contains("SIGTERM") && Contains("stopped"));
}
