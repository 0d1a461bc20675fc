#include <future>
#include <map>
#include <random>
#include <thread>

#include "app/running_bridge.hpp"
#include "support/database.hpp"
#include "support/subscriber.hpp"
#include "support/websocket_client.hpp"

namespace rowcast {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using support::database;
using support::every_way;
using support::http_client;
using support::name_of;
using support::subscriber;
using support::way;
using support::with_rowcast;
using test::open_to_all;
using test::running_bridge;

// What a client holds. Every event must fit what it holds already.
class replica {
public:
    explicit replica(const std::vector<json>& initial)
    {
        for (const json& row : initial) {
            REQUIRE(rows_.emplace(row.at("id"), row).second);
        }
    }

    void take(const json& event)
    {
        CAPTURE(event.dump());
        const std::string op = event.at("op");
        const int id = event.at("key").at("id");
        REQUIRE(rows_.contains(id) == (op != "INSERT"));
        if (op == "DELETE") {
            rows_.erase(id);
        } else {
            rows_[id] = event.at("row");
        }
    }

    const std::map<int, json>& rows() const { return rows_; }

private:
    std::map<int, json> rows_;
};

std::map<int, json> table(const database& db)
{
    std::map<int, json> all;
    pqxx::connection connection = db.connect();
    pqxx::work work{connection};
    for (const auto& row : work.exec("select id, row_to_json(t) from t")) {
        all.emplace(row[0].as<int>(), json::parse(row[1].c_str()));
    }
    return all;
}

// Transactions of one to three statements, some of which fail or are rolled back.
void write(const database& db, unsigned seed, const std::atomic<bool>& enough)
{
    std::mt19937 random(seed);
    const auto id = [&] { return std::to_string(random() % 300); };
    pqxx::connection connection = db.connect();
    while (!enough) {
        try {
            pqxx::work work{connection};
            if (random() % 3 == 0) {
                work.exec("set local synchronous_commit = off");
            }
            for (auto left = random() % 3 + 1; left > 0; --left) {
                switch (random() % 4) {
                case 0:
                    work.exec("delete from t where id = " + id());
                    break;
                case 1:
                    work.exec("update t set v = v || 'x', n = random() where id between " + id() + " and " + id());
                    break;
                default:
                    work.exec("insert into t values (" + id() + ", 'new') on conflict (id) do update set v = excluded.v, n = t.n + 1");
                }
            }
            if (random() % 5 > 0) {
                work.commit();
            }
        } catch (const pqxx::failure&) { // a deadlock: the application's own problem
        }
    }
}

constexpr char a_table[] = "create table t (id int primary key, v text, n double precision default 0.1, at timestamptz default now()); "
                           "insert into t select i, 'old' from generate_series(0, 200) i; select rowcast.watch('t', notify => true);";
constexpr int mark = 1'000'000;

long readers(const database& db)
{
    pqxx::connection connection = db.connect();
    return pqxx::nontransaction{connection}
        .exec("select count(*) from pg_stat_activity where datname = current_database() and application_name = 'rowcast rows' and state <> 'idle'")[0][0]
        .as<long>();
}

} // namespace

TEST_CASE("who begins with the rows at any moment ends with the table, and every event fits", "[rows]")
{
    const database db{with_rowcast};
    db.execute(a_table);
    const running_bridge bridge(db.url());
    std::atomic<bool> enough = false;
    std::vector<std::future<void>> writers;
    for (unsigned seed = 1; seed <= 3; ++seed) {
        writers.push_back(std::async(std::launch::async, [&, seed] { write(db, seed, enough); }));
    }
    std::vector<std::tuple<way, subscriber, replica>> clients;
    for (int round = 0; round < 8; ++round) {
        for (const way how : {way::websocket, way::sse, way::polling}) {
            INFO(name_of(how));
            subscriber::wish wanted;
            wanted.snapshot = true;
            subscriber client(how, bridge.port(), wanted);
            CHECK(client.answer() == "live");
            replica held(client.rows());
            clients.emplace_back(how, std::move(client), std::move(held));
        }
    }
    enough = true;
    for (auto& each : writers) {
        each.get();
    }
    db.execute("insert into t values (" + std::to_string(mark) + ", 'end')");
    const auto truth = table(db);
    for (auto& [how, client, held] : clients) {
        INFO(name_of(how));
        while (!held.rows().contains(mark)) {
            const auto got = client.next();
            REQUIRE_FALSE(got.resync);
            for (const json& event : got.events) {
                held.take(event);
            }
        }
        CHECK(held.rows() == truth);
    }
    for (const auto& each : bridge.got.all<observe::rows_read>()) {
        CHECK(each.hidden == 0);
        CHECK(each.failure.empty());
    }
}

TEST_CASE("who may only read gives the rows, and who may not read them is said to the operator", "[rows]")
{
    const database db{with_rowcast};
    db.execute(a_table);
    const std::string role = db.name() + "_rows";
    db.execute("create role " + role + " login");
    auto settings = open_to_all(db.url(), 100ms);
    settings.database.rows.url = db.url() + "&user=" + role;
    {
        running_bridge bridge(settings);
        http_client client(bridge.port());
        const auto refused = client.get("/v1/rows?table=public.t");
        CHECK(refused.status == 503);
        CHECK(refused.body.find("permission") == std::string::npos);
        const auto told = bridge.got.all<observe::background_failed>();
        REQUIRE(told.size() == 1);
        CHECK(told[0].what == "reading the rows of public.t");
        CHECK(told[0].reason.find("permission denied") != std::string::npos);

        db.execute("grant select on t to " + role);
        CHECK(json::parse(client.get("/v1/rows?table=public.t").body).at("rows").size() == 201);
    }
    db.execute("drop owned by " + role + "; drop role " + role);
}

TEST_CASE("there is an end to how many read, how many wait, and for how long", "[rows]")
{
    const database db{with_rowcast};
    db.execute(a_table);
    auto settings = open_to_all(db.url(), 100ms);
    settings.database.rows = {.url = {}, .concurrent = 1, .queue = 1, .wait = 500ms, .timeout = 60s, .limit = 150};
    running_bridge bridge(settings);
    const auto ask = [&] { return http_client(bridge.port()).get("/v1/rows?table=public.t&id=lt.100"); };
    const auto code = [](const http_client::answer& of) { return json::parse(of.body).value("code", ""); };

    pqxx::connection connection = db.connect();
    pqxx::work lock{connection};
    lock.exec("lock table t in access exclusive mode");
    auto reading = std::async(std::launch::async, ask);
    REQUIRE(support::eventually([&] { return readers(db) == 1; }));
    auto waiting = std::async(std::launch::async, ask);
    REQUIRE(support::eventually([&] {
        const auto stand = bridge.got.all<observe::row_readings_stand>();
        return !stand.empty() && stand.back().waiting == 1;
    }));
    const auto refused = ask();
    CHECK(refused.status == 503);
    CHECK(code(refused) == "too_many_readings");
    CHECK(refused.fields.contains("retry-after"));
    CHECK(code(waiting.get()) == "too_many_readings");
    lock.abort();
    CHECK(json::parse(reading.get().body).at("rows").size() == 100);

    const json all = json::parse(http_client(bridge.port()).get("/v1/rows?table=public.t").body);
    CHECK(all.at("code") == "too_many_rows");
}

TEST_CASE("a client that goes, and a connection that is lost, leave nothing behind", "[rows]")
{
    const database db{with_rowcast};
    db.execute(a_table);
    db.execute("insert into t select i, repeat(i::text, 200) from generate_series(1000, 60000) i");
    running_bridge bridge(db.url());
    const std::string all = "/v1/rows?table=public.t";
    {
        http_client slow(bridge.port(), 4096);
        CHECK_THROWS(slow.get(all, {}, 1ms));
        REQUIRE(support::eventually([&] { return readers(db) == 1; }));
    }
    CHECK(support::eventually([&] { return readers(db) == 0; }));

    support::websocket_client slow(bridge.port(), "/v1/ws", {}, 4096);
    slow.send({{"type", "subscribe"}, {"id", "t"}, {"table", "public.t"}, {"snapshot", true}});
    REQUIRE(support::eventually([&] { return readers(db) == 1; }));
    db.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'rowcast rows'");
    CHECK(slow.await("error").at("code") == "unavailable");
    CHECK(json::parse(http_client(bridge.port()).get(all + "&id=lt.100").body).at("rows").size() == 100);
}

TEST_CASE("connections that were lost while nobody read are made anew", "[rows]")
{
    const database db{with_rowcast};
    db.execute(a_table);
    auto settings = test::open_to_all(db.url(), 100ms);
    settings.database.rows.concurrent = 1;
    running_bridge bridge(settings);
    const auto read = [&] { return http_client(bridge.port()).get("/v1/rows?table=public.t").status; };
    REQUIRE(read() == 200);
    db.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
               "and application_name in ('rowcast rows', 'rowcast snapshots')");
    CHECK(read() == 200);
}

} // namespace rowcast
