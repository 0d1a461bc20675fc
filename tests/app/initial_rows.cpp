#include <future>
#include <map>
#include <random>
#include <thread>

#include "app/row_readings.hpp"
#include "app/running_bridge.hpp"
#include "postgres/catalog_reader.hpp"
#include "support/database.hpp"
#include "support/raw_client.hpp"
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
    CHECK(refused.status == 429);
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

TEST_CASE("rows that PostgreSQL does not give in time are refused, and may be asked for again", "[rows]")
{
    const database db{with_rowcast};
    db.execute(a_table);
    auto settings = open_to_all(db.url(), 100ms);
    settings.database.rows.timeout = 400ms;
    running_bridge bridge(settings);
    pqxx::connection connection = db.connect();
    pqxx::work lock{connection};
    lock.exec("lock table t in access exclusive mode");
    const auto refused = http_client(bridge.port()).get("/v1/rows?table=public.t");
    CHECK(refused.status == 503);
    CHECK(json::parse(refused.body).at("code") == "rows_timeout");
    support::websocket_client client(bridge.port());
    client.send({{"type", "subscribe"}, {"id", "t"}, {"table", "public.t"}, {"snapshot", true}});
    CHECK(client.await("error").at("code") == "rows_timeout");
    lock.abort();
    client.send({{"type", "subscribe"}, {"id", "t"}, {"table", "public.t"}, {"snapshot", true}});
    CHECK(client.await("rows").at("id") == "t");
}

TEST_CASE("who compares with a value that only newer versions of PostgreSQL have is told so, and not to come back", "[rows]")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key, n numeric); insert into t values (1, 1); select rowcast.watch('t', notify => true)");
    const running_bridge bridge(db.url());
    const auto asked = http_client(bridge.port()).get("/v1/rows?table=public.t&n=lt.Infinity");
    if (db.connect().server_version() < 140000) {
        CHECK(asked.status == 400);
        CHECK(json::parse(asked.body).at("code") == "bad_filter");
    } else {
        CHECK(json::parse(asked.body).at("rows").size() == 1);
    }
    CHECK(http_client(bridge.port()).get("/v1/rows?table=public.t&n=lt.2").status == 200);
}

TEST_CASE("tables whose rows nobody sees take their part of the time too", "[rows]")
{
    const database db{with_rowcast};
    const std::string role = db.name() + "_slow";
    // Each statement is in time, and finds nothing.
    db.execute(a_table);
    db.execute("create function slowly(int) returns boolean language plpgsql as 'begin perform pg_sleep(0.15); return false; end'; "
               "create role " + role + " login; grant select on t to " + role + "; delete from t where id > 0; "
               "alter table t enable row level security; create policy slow on t using (slowly(id))");
    {
        auto settings = open_to_all(db.url(), 100ms);
        settings.database.rows.timeout = 400ms;
        settings.database.rows.url = db.url() + "&user=" + role;
        running_bridge bridge(settings);
        std::string target = "/v1/rows?sub=a:public.t";
        for (const char* id : {"b", "c", "d", "e", "f"}) {
            target += "&sub=" + std::string(id) + ":public.t";
        }
        CHECK(http_client(bridge.port()).get(target).body.find("rows_timeout") != std::string::npos);
    }
    db.execute("drop owned by " + role + "; drop role " + role);
}

TEST_CASE("rows that a client does not take in time end, and say so", "[rows]")
{
    const database db{with_rowcast};
    db.execute(a_table);
    db.execute("insert into t select i, repeat(i::text, 200) from generate_series(1000, 60000) i");
    auto settings = open_to_all(db.url(), 100ms);
    settings.database.rows.timeout = 1s;
    running_bridge bridge(settings);
    support::raw_client client(bridge.port());
    client.send("GET /v1/rows?table=public.t HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    bridge.got.wait_for<observe::rows_read>([](const auto& each) { return each.failure == "rows_timeout"; });
    const std::string all = client.read_all();
    CHECK(all.find(R"("code":"rows_timeout")") != std::string::npos);
    CHECK(all.find("cursor") == std::string::npos);
    CHECK(support::eventually([&] { return readers(db) == 0; }));
}

namespace {

// The rows of a table, read without a server: pages come when they are asked for.
struct direct_readings {
    const database& db;
    support::recorder got;
    policy::rules rules = open_to_all("", 1s).rules;
    app::row_readings readings;
    postgres::connection on{{.url = db.url(), .read_only = false}};
    std::mutex one_at_a_time; // the thread of whoever reads, so to speak

    direct_readings(const database& in, app::row_readings::limits most)
        : db(in), readings({.url = in.url()}, {.url = in.url()}, most, got.sink())
    {
        readings.expect(postgres::claim_identity(on), std::make_shared<const core::cursor_codec>("the test's log", "0123456789abcdef"));
    }

    std::unique_ptr<hub::row_reading> begin()
    {
        const auto over = postgres::read_catalog(on)->find("public.t");
        hub::row_request wanted;
        wanted.views.push_back(std::make_shared<const policy::visibility>(policy::authorize(rules, over, {}, {}).value()));
        return readings.begin(std::move(wanted), [this](const std::function<void()>& work) {
            const std::lock_guard held(one_at_a_time);
            work();
        });
    }

    static core::result<hub::row_reading::page> next(hub::row_reading& of)
    {
        std::promise<core::result<hub::row_reading::page>> given;
        of.next([&](auto page) { given.set_value(std::move(page)); });
        auto page = given.get_future();
        REQUIRE(page.wait_for(support::patience) == std::future_status::ready);
        return page.get();
    }
};

} // namespace

TEST_CASE("a client that takes nothing makes way for others who wait, and only for them", "[rows]")
{
    const database db{with_rowcast};
    db.execute(a_table);
    db.execute("insert into t select i, repeat(i::text, 200) from generate_series(1000, 60000) i");
    direct_readings at(db, {.concurrent = 1, .patience = 50ms});
    const auto slow = at.begin();
    REQUIRE(direct_readings::next(*slow).has_value());
    {
        const auto in_turn = at.begin();
        const auto page = direct_readings::next(*in_turn);
        REQUIRE(page.has_value());
        CHECK(page->count > 0);
        std::size_t pages = 1;
        for (auto left = direct_readings::next(*slow); left; left = direct_readings::next(*slow)) {
            ++pages; // what was ready for it is still its own
        }
        CHECK(pages > 1);
    }
    CHECK(at.got.wait_for<observe::rows_read>([](const auto& each) { return each.failure == "rows_timeout"; }).rows > 0);

    const std::size_t from = at.got.size();
    const auto alone = at.begin();
    std::size_t rows = direct_readings::next(*alone)->count;
    std::this_thread::sleep_for(200ms); // four times the patience; nobody waits
    for (auto page = direct_readings::next(*alone); ; page = direct_readings::next(*alone)) {
        REQUIRE(page.has_value());
        rows += page->count;
        if (!page->more) {
            break;
        }
    }
    CHECK(rows == 201 + 59'001);
    CHECK(at.got.wait_for<observe::rows_read>([](const auto& each) { return each.rows > 0; }, from).failure != "rows_timeout");
}

TEST_CASE("a row too large for the log has its key alone, for those who may see it and for nobody else", "[rows]")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key, owner text, v text); select rowcast.watch('t', notify => true); "
               "insert into t values (1, 'ann', repeat('x', 9000000)), (2, 'bob', repeat('x', 9000000)), (3, 'ann', 'small')");
    auto settings = open_to_all(db.url(), 100ms);
    core::object mine;
    mine.emplace_back("owner", core::value{std::string("ann")});
    settings.rules.tables.at("public.t").at(0).where = policy::predicate::parse({std::move(mine)}, true).value();
    running_bridge bridge(settings);
    const json expected = {{{"id", 1}}, {{"id", 3}, {"owner", "ann"}, {"v", "small"}}};
    CHECK(json::parse(http_client(bridge.port()).get("/v1/rows?table=public.t&limit=10").body).at("rows") == expected);
    CHECK(json::parse(http_client(bridge.port()).get("/v1/rows?table=public.t&limit=10&v=like.x*").body).at("rows") == json{{{"id", 1}}});
    support::websocket_client client(bridge.port());
    client.send({{"type", "subscribe"}, {"id", "t"}, {"table", "public.t"}, {"snapshot", true}});
    json got = client.await("rows").at("rows");
    std::sort(got.begin(), got.end(), [](const json& left, const json& right) { return left.at("id") < right.at("id"); });
    CHECK(got == expected);
}

} // namespace rowcast
