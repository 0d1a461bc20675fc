#include "app/running_bridge.hpp"
#include "postgres/embedded_sql.hpp"
#include "postgres/administration.hpp"
#include "sql/temporary_role.hpp"
#include "support/database.hpp"
#include "support/free_port.hpp"
#include "support/paths.hpp"
#include "support/postgres_cluster.hpp"
#include "support/process.hpp"
#include "support/result.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

using namespace rowcast;
using namespace rowcast::support;
using nlohmann::json;
using rowcast::test::open_to_all;
using rowcast::test::running_bridge;
using rowcast::test::temporary_role;

namespace {

struct diagnosis {
    int status = 0;
    std::map<std::string, std::vector<json>> findings; // by subject, of those that have some

    // "severity: what | do" of the subject's only finding.
    std::string only(const std::string& subject) const
    {
        const auto found = findings.find(subject);
        const std::size_t count = found == findings.end() ? 0 : found->second.size();
        if (count != 1) {
            return std::to_string(count) + " findings of " + subject + (count ? ": " + json(found->second).dump() : "");
        }
        const json& one = found->second.front();
        CHECK_FALSE(one.at("why").get<std::string>().empty());
        return one.at("severity").get<std::string>() + ": " + one.at("what").get<std::string>() + " | " + one.at("do").get<std::string>();
    }

    // What is said of this subject and mentions this.
    std::string about(const std::string& subject, const std::string& mentioned) const
    {
        diagnosis narrow;
        if (const auto all = findings.find(subject); all != findings.end()) {
            for (const json& each : all->second) {
                if (each.at("what").get<std::string>().find(mentioned) != std::string::npos) {
                    narrow.findings[subject].push_back(each);
                }
            }
        }
        return narrow.only(subject);
    }
};

diagnosis doctor(std::vector<std::string> words)
{
    words.insert(words.begin(), {rowcast_binary().string(), "doctor", "--json"});
    process child{words, {"DATABASE_URL=", "PGHOST=", "PGDATABASE="}};
    child.close_input();
    const std::string said = child.rest();
    diagnosis out;
    out.status = child.wait();
    INFO(said << child.error_rest());
    for (const json& each : json::parse(said)) {
        if (each.at("severity") != "ok") {
            out.findings[each.at("subject")].push_back(each);
        }
    }
    return out;
}

diagnosis doctor(const database& db)
{
    return doctor({"--database", db.url()});
}

const std::string triggers = "watched tables and their triggers";
const std::string transactions = "open transactions";
const std::string server = "PostgreSQL and its settings";

class folder {
public:
    folder()
        : path_((std::filesystem::temp_directory_path() / "rowcast-doctor.XXXXXX").string())
    {
        REQUIRE(::mkdtemp(path_.data()));
    }

    ~folder() { std::filesystem::remove_all(path_); }

    std::string operator/(const std::string& name) const { return path_ + "/" + name; }

    std::string with(const std::string& name, const std::string& text) const
    {
        std::ofstream{*this / name} << text;
        return *this / name;
    }

private:
    std::string path_;
};

} // namespace

TEST_CASE("A doctor finds nothing where all is well, and each setting of the server that is not", "[e2e]")
{
    postgres_cluster cluster({"fsync = on", "full_page_writes = on"});
    REQUIRE(postgres::administration({.url = cluster.url()}).install(postgres::install_sql));
    const auto execute = [&](const std::string& sql) { pqxx::connection on = cluster.connect(); pqxx::nontransaction(on).exec(sql); };
    execute("create table t (id int primary key); select rowcast.watch('t', notify => true)");
    execute("create table parts (id int primary key) partition by range (id); create table part partition of parts for values from (1) to (9); "
            "select rowcast.watch('parts', notify => true)");
    {
        const running_bridge bridge(open_to_all(cluster.url(), std::chrono::milliseconds(100)));
        REQUIRE(eventually([&] { return postgres::administration({.url = cluster.url()}).status()->bridges.size() == 1; }));
        const auto well = doctor({"--database", cluster.url()});
        CHECK(json(well.findings).dump() == "{}");
        CHECK(well.status == 0);
    }
    CHECK(doctor({"--database", cluster.url()}).only("bridges").starts_with("warning: no bridge is connected | rowcast serve"));

    execute("alter role postgres set session_replication_role = replica");
    CHECK(doctor({"--database", cluster.url()}).findings.count(triggers) == 0); // who owns the tables made them fire always
    execute("alter role postgres reset session_replication_role; alter table t enable trigger \"!rowcast_insert\"");
    CHECK(doctor({"--database", cluster.url()}).findings.count(triggers) == 0);
    execute("alter role postgres set session_replication_role = replica");
    CHECK_THAT(doctor({"--database", cluster.url()}).only(triggers),
               Catch::StartsWith("warning: triggers of public.t do not fire") && Catch::EndsWith("enable always trigger \"!rowcast_insert\";"));

    for (const auto& [name, value] : {std::pair("autovacuum", "off"), {"full_page_writes", "off"}, {"synchronous_commit", "off"}}) {
        execute(std::string("alter system set ") + name + " = " + value);
        execute("select pg_reload_conf()");
        CAPTURE(name);
        CHECK(eventually([&] { return doctor({"--database", cluster.url()}).about(server, name).find(std::string(name) + " = on") != std::string::npos; }));
    }
}

TEST_CASE("A doctor finds triggers that are missing or disabled, tables that were altered, and names the statement that helps", "[e2e]")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key, a text); select rowcast.watch('t', notify => true)");
    CHECK(doctor(db).findings.count(triggers) == 0);

    db.execute("alter table t disable trigger all");
    const std::string disabled = doctor(db).only(triggers);
    CHECK_THAT(disabled, Catch::StartsWith("error: public.t has disabled triggers, on public.t | alter table only public.t enable always trigger"));
    db.execute(disabled.substr(disabled.find(" | ") + 3));
    CHECK(doctor(db).findings.count(triggers) == 0);

    db.execute("drop trigger \"!rowcast_update\" on t");
    CHECK_THAT(doctor(db).only(triggers), Catch::StartsWith("error: public.t lacks triggers, on public.t | select rowcast.refresh();"));
    db.execute("select rowcast.refresh()");
    CHECK(doctor(db).findings.count(triggers) == 0);

    db.execute("alter table t add b int");
    CHECK_THAT(doctor(db).only(triggers), Catch::StartsWith("warning: public.t was altered or renamed") && Catch::EndsWith("select rowcast.refresh();"));
    db.execute("select rowcast.refresh(); alter table t drop constraint t_pkey; select rowcast.refresh()");
    CHECK_THAT(doctor(db).only(triggers), Catch::StartsWith("error: public.t has lost its key"));

    db.execute("select rowcast.unwatch('t')");
    CHECK_THAT(doctor(db).only(triggers), Catch::StartsWith("warning: no table is watched"));
    CHECK(doctor(db).status == 1); // of fsync, which tests do without
}

TEST_CASE("A doctor finds partitions that nobody watches yet, or nobody may", "[e2e]")
{
    const database db{with_rowcast};
    db.execute("create table parts (id int primary key) partition by range (id); select rowcast.watch('parts', notify => true); "
               "create table part partition of parts for values from (1) to (9)");
    CHECK_THAT(doctor(db).only(triggers), Catch::StartsWith("error: public.parts lacks triggers, on public.part |"));
    db.execute("select rowcast.refresh()");
    CHECK(doctor(db).findings.count(triggers) == 0);
    db.execute("revoke trigger on part from rowcast_refresh");
    const std::string forbidden = doctor(db).only(triggers);
    CHECK_THAT(forbidden, Catch::EndsWith("| grant trigger on public.part to rowcast_refresh;"));
    db.execute(forbidden.substr(forbidden.find(" | ") + 3));
    CHECK(doctor(db).findings.count(triggers) == 0);
}

TEST_CASE("A doctor finds who holds back retention and vacuum, and whoever holds the doorbell's key", "[e2e]")
{
    const database db{with_rowcast};
    const auto look = [&] { return doctor({"--database", db.url(), "--longest-transaction", "0s"}); };
    const std::string mine = "database " + db.name();
    CHECK(look().about(transactions, mine).starts_with("0 findings"));
    {
        pqxx::connection idle = db.connect();
        pqxx::work open(idle);
        open.exec("create table t (id int)");
        REQUIRE(eventually([&] { return look().about(transactions, mine).find("is open for") != std::string::npos; }));
        const std::string said = look().about(transactions, mine);
        CHECK_THAT(said, Catch::Contains("idle in transaction") && Catch::Contains("select pg_terminate_backend(" + std::to_string(idle.backendpid()) + ");"));
    }
    db.execute("begin; create table t (id int); prepare transaction '" + db.name() + "'");
    CHECK(eventually([&] { return look().about(transactions, mine).find("rollback prepared '" + db.name() + "'") != std::string::npos; }));
    db.execute("rollback prepared '" + db.name() + "'");
    CHECK(look().about(transactions, mine).starts_with("0 findings"));

    CHECK(look().findings.count("doorbell") == 0);
    pqxx::connection holder = db.connect();
    pqxx::nontransaction(holder).exec("select pg_advisory_lock(lock_class, lock_key) from rowcast.settings");
    CHECK_THAT(look().only("doorbell"), Catch::StartsWith("error: the doorbell's lock is held by pid " + std::to_string(holder.backendpid())) &&
                                            Catch::EndsWith("select pg_terminate_backend(" + std::to_string(holder.backendpid()) + ");"));
}

TEST_CASE("A doctor finds every right that a bridge's role lacks", "[e2e]")
{
    const database db{with_rowcast};
    const temporary_role role{db, "bridge", "login password 'pw'"};
    const std::string url = "postgresql://" + role.name + ":pw" + db.tcp_url().substr(db.tcp_url().rfind('@'));
    const folder files;
    const std::string config = files.with("bridge.yaml", "database: {url: '" + url + "'}\n");
    const auto look = [&] { return doctor({"--config", config, "--database", db.url()}); };
    const std::string rights = "rights of the bridge's role";
    CHECK_THAT(look().only(rights), Catch::StartsWith("error: the role " + role.name + " lacks usage on schema rowcast, select on rowcast.change_log") &&
                                        Catch::Contains("rowcast install --grant " + role.name));
    CHECK_THAT(doctor({"--database", url}).only("database"), Catch::Contains("permission denied") && Catch::EndsWith("rowcast install --grant " + role.name));
    db.execute("select rowcast.grant_bridge('" + role.name + "')");
    CHECK(look().findings.count(rights) == 0);
    CHECK(doctor({"--config", config}).about(transactions, "hidden").find("pg_read_all_stats") != std::string::npos);

    // All that grant_bridge gives.
    const auto given = db.execute("select 'select on ' || c.oid::regclass from pg_class c, aclexplode(relacl) a where relnamespace = 'rowcast'::regnamespace "
                                  "and a.grantee = '" + role.name + "'::regrole union all select 'execute on function ' || p.oid::regprocedure from pg_proc p, "
                                  "aclexplode(proacl) a where pronamespace = 'rowcast'::regnamespace and a.grantee = '" + role.name + "'::regrole");
    REQUIRE(given.size() > 10);
    for (const auto& one : given) {
        const std::string right = one[0].as<std::string>();
        if (right.find("rowcast.version()") != right.npos) {
            continue; // everybody's
        }
        CAPTURE(right);
        db.execute("revoke " + right + " from " + role.name);
        CHECK_THAT(look().only(rights), Catch::Contains(" lacks " + right.substr(0, right.find('('))));
        db.execute("grant " + right + " to " + role.name);
    }
}

TEST_CASE("A doctor finds a log that nobody keeps small, and what a configuration needs and does not have", "[e2e]")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key); select rowcast.watch('t', notify => true); insert into t values (1)");
    const folder files;
    const std::string nowhere = "http://127.0.0.1:" + std::to_string(free_port()) + "/keys";
    const std::string config = files.with("bridge.yaml", "database: {url: '" + db.url() + "', retention: {age: 1h, size: 1MB}}\n"
                                                         "auth: {jwt: [{jwks: '" + nowhere + "', issuer: i, audience: a}]}\n"
                                                         "server: {tls: {certificate: '" + (files / "cert") + "', key: '" + (files / "key") + "'}, "
                                                         "limits: {sessions: 1000000}}\n"
                                                         "tables: {public.absent: [{}]}\n");
    const auto look = [&] { return doctor({"--config", config}); };
    auto found = look();
    CHECK(found.status == 1);
    CHECK(found.findings.count("change log") == 0);
    CHECK_THAT(found.only("key sets"), Catch::StartsWith("error: " + nowhere + ": ") && Catch::Contains("curl -v " + nowhere));
    CHECK_THAT(found.only("file descriptors"), Catch::StartsWith("warning: file descriptors suffice for ") && Catch::Contains("LimitNOFILE=1001000"));
    CHECK_THAT(found.only("rules"), Catch::Contains("public.absent") && Catch::Contains("rowcast check --config " + config));
    CHECK_THAT(found.only("certificate"), Catch::Contains("server.tls.certificate: cannot read ") && Catch::Contains("/cert: No such file"));

    db.execute("update rowcast.change_log set at = at - interval '3 hours'");
    CHECK_THAT(look().only("change log"), Catch::StartsWith("warning: the oldest change is 3.0 h old, and retention is 60 min"));
    db.execute("update rowcast.change_log set at = clock_timestamp(); insert into t select generate_series(2, 20000)");
    CHECK_THAT(look().only("change log"), Catch::StartsWith("warning: the log takes "));

    const auto make = [&](const std::string& name, const std::string& days) {
        run({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=rowcast", "-days", days, "-keyout", files / (name + ".key"), "-out", files / (name + ".pem")});
    };
    const auto use = [&](const std::string& certificate, const std::string& key) {
        std::filesystem::copy_file(files / certificate, files / "cert", std::filesystem::copy_options::overwrite_existing);
        std::filesystem::copy_file(files / key, files / "key", std::filesystem::copy_options::overwrite_existing);
        found = look();
    };
    make("long", "100");
    make("short", "10");
    use("long.pem", "long.key");
    CHECK(found.findings.count("certificate") == 0);
    use("short.pem", "short.key");
    CHECK_THAT(found.only("certificate"), Catch::Contains("/cert expires in 240 h"));
    use("long.pem", "short.key");
    CHECK_THAT(found.only("certificate"), Catch::Contains("server.tls.key: ") && Catch::Contains("is not the PEM file of the private key of"));
}

TEST_CASE("A doctor whose database is away looks at the rest, and ends with status 4", "[e2e]")
{
    const folder files;
    const std::string config = files.with("bridge.yaml", "database: {url: 'postgresql://127.0.0.1:1/nothing'}\nauth: {jwt: [{jwks: " + (files / "absent.json") + ", issuer: i, audience: a}]}\n");
    const auto found = doctor({"--config", config});
    CHECK(found.status == 4);
    CHECK_THAT(found.only("database"), Catch::StartsWith("error: ") && Catch::Contains("127.0.0.1:1"));
    CHECK_THAT(found.only("configuration"), Catch::Contains("absent.json"));
}
