#include <atomic>
#include <future>
#include <set>
#include <thread>

#include <nlohmann/json.hpp>

#include "app/running_bridge.hpp"
#include "app/set_store.hpp"
#include "auth/authenticator.hpp"
#include "config/load.hpp"
#include "postgres/catalog_reader.hpp"
#include "support/database.hpp"
#include "support/tcp_proxy.hpp"
#include "support/websocket_client.hpp"

namespace rowcast {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using support::database;
using support::http_client;
using support::websocket_client;
using support::with_rowcast;
using test::running_bridge;

const config::jwt_key key{.algorithm = "HS256", .secret = "correct horse battery staple, 32 bytes", .public_key = {}, .jwks = {}, .issuer = {}, .audience = {}, .at = {}};

const std::string chat =
    "create table members (room int, user_id int, seen int not null default 0, primary key (room, user_id)); create index on members (user_id);"
    "create table messages (id int generated always as identity primary key, room int, body text);"
    "create table t (id int primary key);"
    "select rowcast.watch('members', notify => true), rowcast.watch('messages', notify => true), rowcast.watch('t', notify => true);";

// Who is a member of a room reads its messages and hears its channel.
config::configuration configured(const database& db, const std::string& query = "select room from members where user_id = $1")
{
    auto read = config::parse("database: {url: '" + db.url() + "', poll_interval: 100ms}\n"
                              "server: {listen: '127.0.0.1:0', admin: '127.0.0.1:0', limits: {connects_per_second_per_address: 100000}}\n"
                              "auth: {jwt: [{algorithm: HS256, secret: '" + key.secret + "'}]}\n"
                              "tables:\n"
                              "  public.t: [{}]\n"
                              "  public.messages: [{roles: [user], where: {room: {in: $sets.rooms}}}]\n"
                              "channels: {'*': [{roles: [user], where: {channel: {in: $sets.rooms}}}]}\n"
                              "sets: {rooms: {query: '" + query + "', params: [$claims.sub], watch: [public.members]}}\n",
                              [](std::string_view) { return std::nullopt; });
    if (const auto* problems = std::get_if<std::vector<config::problem>>(&read)) {
        throw std::runtime_error(to_string(problems->front(), "the test's configuration"));
    }
    return std::get<config::configuration>(std::move(read));
}

std::string token(const std::string& user)
{
    return auth::issue({core::object{{"sub", {user}}, {"roles", {core::list{{"user"}}}}}}, key);
}

websocket_client connect(const running_bridge& to, const std::string& user)
{
    return support::connect_as(to.port(), token(user));
}

json messages(const std::string& id = "m")
{
    return {{"type", "subscribe"}, {"id", id}, {"table", "public.messages"}};
}

void say(const database& db, int room, const std::string& body)
{
    db.execute("insert into messages (room, body) values (" + std::to_string(room) + ", '" + body + "')");
}

} // namespace

TEST_CASE("a member reads their rooms, and learns at once when they are taken in or out", "[e2e]")
{
    const database db{with_rowcast};
    db.execute(chat + "insert into members values (1, 7), (1, 8)");
    const running_bridge bridge(configured(db));
    auto ann = connect(bridge, "7");
    auto bob = connect(bridge, "8");
    for (auto* each : {&ann, &bob}) {
        each->send(messages());
        CHECK(each->receive()->at("type") == "subscribed");
    }
    bob.send({{"type", "subscribe"}, {"id", "c"}, {"channel", "1"}});
    CHECK(bob.receive()->at("type") == "subscribed");
    say(db, 1, "both");
    say(db, 2, "nobody");
    CHECK(ann.await("changes").at("events")[0].at("row").at("body") == "both");
    CHECK(bob.await("changes").at("events")[0].at("row").at("body") == "both");

    db.execute("begin; delete from members where user_id = 8; insert into messages (room, body) values (1, 'without bob'); commit");
    std::set<std::string> told;
    for (int i = 0; i < 2; ++i) {
        const json message = *bob.receive();
        CHECK(message.at("type") == "resync");
        CHECK(message.at("reason") == "permissions_changed");
        told.insert(message.at("id"));
    }
    CHECK(told == std::set<std::string>{"c", "m"});
    CHECK(ann.await("changes").at("events")[0].at("row").at("body") == "without bob");

    bob.send({{"type", "subscribe"}, {"id", "c"}, {"channel", "1"}});
    CHECK(bob.receive()->at("code") == "forbidden");
    bob.send(messages());
    CHECK(bob.receive()->at("type") == "subscribed");
    db.execute("insert into members values (2, 8)");
    CHECK(bob.receive()->at("type") == "resync");
    bob.send(messages());
    CHECK(bob.receive()->at("type") == "subscribed");
    db.execute("update members set seen = 1 where user_id = 8"); // no other rooms: nobody is disturbed
    say(db, 2, "to bob");
    CHECK(bob.receive()->at("events")[0].at("row").at("body") == "to bob");
}

TEST_CASE("no change of a room reaches a member after the commit that removes them, however many write", "[e2e]")
{
    const database db{with_rowcast};
    db.execute(chat + "insert into members values (1, 7), (1, 8)");
    const running_bridge bridge(configured(db));
    auto removed = connect(bridge, "8");
    auto stays = connect(bridge, "7");
    for (auto* each : {&removed, &stays}) {
        each->send(messages());
        CHECK(each->receive()->at("type") == "subscribed");
    }
    std::atomic<bool> done = false;
    std::vector<std::thread> writers;
    for (int i = 0; i < 3; ++i) {
        writers.emplace_back([&] {
            pqxx::connection on = db.connect();
            while (!done) {
                pqxx::nontransaction(on).exec("insert into messages (room, body) select 1, pg_current_xact_id()");
            }
        });
    }
    removed.await("changes");
    // Who writes a later message has waited for the lock, and so for the commit that removes the member.
    pqxx::connection on = db.connect();
    pqxx::work removal(on);
    removal.exec("lock messages in share row exclusive mode");
    removal.exec("delete from members where user_id = 8");
    const auto last = removal.exec1("select max(id) from messages")[0].as<std::uint64_t>();
    removal.commit();
    json message;
    std::uint64_t last_seen = 0;
    while ((message = *removed.receive()).at("type") != "resync") {
        for (const json& each : message.value("events", json::array())) {
            last_seen = std::max(last_seen, each.at("row").at("id").get<std::uint64_t>());
        }
    }
    CHECK(message.at("reason") == "permissions_changed");
    CHECK(last_seen <= last);
    removed.send(messages());
    CHECK(removed.receive()->at("type") == "subscribed");
    removed.send({{"type", "ping"}, {"id", 1}});
    done = true;
    for (std::thread& each : writers) {
        each.join();
    }
    CHECK(removed.receive()->at("type") == "pong");
    // The other one was not disturbed.
    const auto all = db.execute("select max(id) from messages")[0][0].as<std::uint64_t>();
    for (last_seen = 0; last_seen < all;) {
        message = *stays.receive();
        REQUIRE(message.at("type") == "changes");
        for (const json& each : message.at("events")) {
            last_seen = std::max(last_seen, each.at("row").at("id").get<std::uint64_t>());
        }
    }
}

TEST_CASE("who comes back learns that their rooms are others by now", "[e2e]")
{
    const database db{with_rowcast};
    db.execute(chat + "insert into members values (1, 7), (1, 8)");
    const running_bridge bridge(configured(db));
    const auto resume = [&](const std::string& user, const std::string& cursor) {
        auto client = connect(bridge, user);
        json wanted = messages();
        wanted["after"] = cursor;
        client.send(wanted);
        return client;
    };
    auto client = connect(bridge, "7");
    client.send(messages());
    const std::string cursor = client.receive()->at("cursor");
    say(db, 1, "one");
    client.await("changes");
    db.execute("insert into members values (2, 8)");
    say(db, 2, "two");
    say(db, 1, "three");
    CHECK(client.await("changes").at("events")[0].at("row").at("body") == "three");

    auto same = resume("7", cursor);
    CHECK(same.receive()->at("status") == "resumed");
    std::vector<std::string> bodies;
    while (bodies.size() < 2) {
        const json message = *same.receive();
        INFO(message.dump());
        REQUIRE(message.at("type") == "changes");
        for (const json& each : message.at("events")) {
            bodies.push_back(each.at("row").at("body"));
        }
    }
    CHECK(bodies == std::vector<std::string>{"one", "three"});
    auto other = resume("8", cursor.substr(0, cursor.find('.'))); // without the mark of the other's rights
    CHECK(other.receive()->at("status") == "resumed");
    CHECK(other.await("resync").at("reason") == "permissions_changed");
}

TEST_CASE("a change of one membership reads one of ten thousand sets again", "[e2e]")
{
    constexpr int users = 10'000;
    const database db{with_rowcast};
    db.execute(chat + "insert into members select n, n from generate_series(1, 10000) n");
    const auto settings = configured(db);
    support::recorder seen;
    const observe::sink tell = seen.sink();
    postgres::connection on({.url = db.url()});
    app::set_store store(db.url(), tell, [] {});
    store.define(settings.rules, postgres::read_catalog(on));
    const auto now = [&] { return core::snapshot::parse(db.execute("select pg_current_snapshot()")[0][0].as<std::string>()).value(); };
    store.follows(now());
    std::vector<policy::set_call> calls;
    for (int user = 1; user <= users; ++user) {
        calls.push_back({settings.rules.sets.at("rooms"), {std::to_string(user)}});
    }
    std::promise<app::set_store::values> loaded;
    store.load(calls, [](auto work) { work(); }, [&](auto values) { loaded.set_value(values.value()); });
    const auto values = loaded.get_future().get();
    REQUIRE(values.size() == users);
    CHECK(values[41]->texts() == std::vector<std::string>{"42"});
    CHECK(store.find(calls[41]) == values[41]);

    db.execute("insert into members values (1, 42)");
    core::change joined;
    joined.op = joined.cause = core::operation::insert;
    joined.table = "public.members";
    joined.after = core::row::parse(R"({"room":1,"user_id":42})").value();
    const std::size_t from = seen.size();
    const auto superseded = store.follow({{}, now(), {joined}, true, false});
    REQUIRE(superseded.size() == 1);
    CHECK(superseded[0] == values[41]);
    CHECK(values[41]->is_superseded());
    CHECK(store.find(calls[41])->texts() == std::vector<std::string>{"1", "42"});
    const auto read = seen.wait_for<observe::sets_read>([](const auto& each) { return each.evaluated > 0; }, from);
    CHECK(read.evaluated == 1);
    CHECK(read.changed == 1);
    CHECK(store.follow({{}, now(), {joined}, true, false}).empty()); // nothing new

    db.execute("truncate members");
    core::change truncated;
    truncated.op = truncated.cause = core::operation::truncate;
    truncated.table = "public.members";
    CHECK(store.follow({{}, now(), {truncated}, true, false}).size() == users);
}

TEST_CASE("a set that cannot be used gives nothing, and its author is told why", "[e2e]")
{
    const database db{with_rowcast};
    db.execute(chat + "insert into members values (1, 7)");
    running_bridge bridge(configured(db, "select romo from members where user_id = $1"));
    auto client = connect(bridge, "7");
    client.send(messages());
    CHECK(client.receive()->at("type") == "subscribed");
    CHECK(bridge.got.wait_for<observe::rule_misfit>().problem.find("romo") != std::string::npos);
    say(db, 1, "unseen");
    client.send({{"type", "subscribe"}, {"id", "t"}, {"table", "public.t"}});
    CHECK(client.receive()->at("type") == "subscribed");
    db.execute("insert into t values (1)");
    CHECK(client.await("changes").at("events")[0].at("table") == "public.t");
}

TEST_CASE("a user whose claim is no value of the parameter's type sees nothing, and nobody else minds", "[e2e]")
{
    const database db{with_rowcast};
    db.execute(chat + "insert into members values (1, 7)");
    const running_bridge bridge(configured(db));
    auto odd = connect(bridge, "seven");
    auto ann = connect(bridge, "7");
    for (auto* each : {&odd, &ann}) {
        each->send(messages());
        CHECK(each->receive()->at("type") == "subscribed");
    }
    db.execute("insert into members values (2, 7)");
    CHECK(ann.receive()->at("type") == "resync");
    odd.send({{"type", "ping"}, {"id", 1}});
    CHECK(odd.receive()->at("type") == "pong");
}

TEST_CASE("a set that stumbles over a row gives nothing to those whom it concerns; its author is told once, until it has come right", "[e2e]")
{
    const database db{with_rowcast};
    db.execute(chat + "insert into members values (1, 7), (1, 8)");
    running_bridge bridge(configured(db, "select 12 / room from members where user_id = $1"));
    auto witness = connect(bridge, "9");
    witness.send({{"type", "subscribe"}, {"id", "t"}, {"table", "public.t"}});
    witness.await("subscribed");
    int changes = 0;
    const auto told = [&](std::size_t misfits) { // of all that was committed until now
        db.execute("insert into t values (" + std::to_string(++changes) + ")");
        witness.await("changes");
        CHECK(bridge.got.all<observe::sets_read>().back().misfits == misfits);
        return bridge.got.all<observe::set_misfit>();
    };
    auto ann = connect(bridge, "7");
    auto bob = connect(bridge, "8");
    for (auto* each : {&ann, &bob}) {
        each->send(messages());
        CHECK(each->receive()->at("type") == "subscribed");
    }
    CHECK(told(0).empty());
    for (const int user : {7, 8}) {
        db.execute("insert into members values (0, " + std::to_string(user) + ")");
        auto& client = user == 7 ? ann : bob;
        CHECK(client.receive()->at("type") == "resync");
        client.send(messages());
        CHECK(client.receive()->at("type") == "subscribed");
    }
    db.execute("update members set seen = 1; update members set seen = 2");
    REQUIRE(told(2).size() == 1);
    CHECK(told(2).front().name == "rooms");
    CHECK(told(2).front().sqlstate == "22012");

    db.execute("delete from members where room = 0");
    CHECK(ann.receive()->at("type") == "resync");
    CHECK(told(0).size() == 1);
    ann.send(messages());
    CHECK(ann.receive()->at("type") == "subscribed");
    db.execute("insert into members values (0, 7)");
    CHECK(ann.receive()->at("type") == "resync");
    CHECK(told(1).size() == 2);
}

TEST_CASE("nobody gets rows of a room that they were removed from before the rows' moment, however they ask", "[e2e]")
{
    const database db{with_rowcast};
    db.execute(chat + "insert into members values (1, 7), (1, 8); insert into messages (room, body) values (1, 'before')");
    auto settings = configured(db);
    settings.database.rows.concurrent = 1;
    running_bridge bridge(settings);
    // Everybody has been authorized, and waits behind the one who reads the locked table.
    pqxx::connection on = db.connect();
    pqxx::work lock(on);
    lock.exec("lock table t in access exclusive mode");
    const auto stands = [&](std::size_t reading, std::size_t waiting) {
        bridge.got.wait_for<observe::row_readings_stand>(
            [&](const auto& each) { return each.reading == reading && each.waiting == waiting; });
    };
    auto first = std::async(std::launch::async, [&] { return http_client(bridge.port()).get("/v1/rows?table=public.t").status; });
    stands(1, 0);
    const std::string target = "table=public.messages&access_token=" + token("8");
    auto socket = connect(bridge, "8");
    json wanted = messages();
    wanted["snapshot"] = true;
    socket.send(wanted);
    stands(1, 1);
    http_client stream(bridge.port());
    stream.open_stream("/v1/sse?snapshot=true&" + target);
    stands(1, 2);
    auto asked = std::async(std::launch::async, [&] { return http_client(bridge.port()).get("/v1/rows?" + target); });
    stands(1, 3);
    auto stays = std::async(std::launch::async, [&] {
        return http_client(bridge.port()).get("/v1/rows?table=public.messages&access_token=" + token("7"));
    });
    stands(1, 4);
    db.execute("begin; delete from members where user_id = 8; insert into messages (room, body) values (1, 'after'); commit");
    lock.abort();
    CHECK(first.get() == 200);

    const json told = *socket.receive();
    CHECK(told.at("type") == "subscribed");
    CHECK(told.at("status") == "reset");
    CHECK(told.at("reason") == "permissions_changed");
    CHECK(socket.receive()->at("type") == "resync");
    socket.send({{"type", "ping"}, {"id", 1}});
    CHECK(socket.receive()->at("type") == "pong");
    for (auto event = stream.next_event(); event; event = stream.next_event()) {
        CHECK(event->data.find("permissions_changed") != std::string::npos);
    }
    const auto refused = asked.get();
    CHECK(refused.status == 410);
    CHECK(json::parse(refused.body).at("code") == "permissions_changed");
    CHECK(json::parse(stays.get().body).at("rows").size() == 2);
}

TEST_CASE("values that nobody uses are kept up to so many bytes, the newest of them", "[e2e]")
{
    const database db{with_rowcast};
    db.execute(chat + "insert into members select room, user_id from generate_series(1, 10000) room, generate_series(1, 8) user_id");
    const auto settings = configured(db);
    const observe::sink tell = [](const observe::observation&) {};
    postgres::connection on({.url = db.url()});
    app::set_store store(db.url(), tell, [] {}, 2 * 1024 * 1024); // of sets of about 0.9 MB
    store.define(settings.rules, postgres::read_catalog(on));
    store.follows(core::snapshot::parse(db.execute("select pg_current_snapshot()")[0][0].as<std::string>()).value());
    const auto call = [&](int user) { return policy::set_call{settings.rules.sets.at("rooms"), {std::to_string(user)}}; };
    const auto load = [&](int user) {
        std::promise<std::size_t> loaded;
        store.load({call(user)}, [](auto work) { work(); }, [&](auto values) { loaded.set_value(values.value().at(0)->texts().size()); });
        return loaded.get_future().get();
    };
    for (int user = 1; user <= 8; ++user) {
        CHECK(load(user) == 10'000);
    }
    CHECK(support::eventually([&] { return store.find(call(1)) == nullptr; }));
    CHECK(store.find(call(8)) != nullptr);
    const auto used = store.find(call(8));
    CHECK(load(1) == 10'000);
    CHECK(load(2) == 10'000);
    CHECK(load(3) == 10'000);
    CHECK(store.find(call(8)) == used); // whoever uses one keeps it
}

TEST_CASE("ten thousand users have ten thousand sets, and a membership that changes is evaluated for the one whom it concerns", "[e2e]")
{
    constexpr int users = 10'000;
    const database db{with_rowcast};
    db.execute(chat + "insert into members select user_id % 100, user_id from generate_series(1, 10000) user_id");
    const auto settings = configured(db);
    std::atomic<std::size_t> evaluated = 0;
    const observe::sink tell = [&](const observe::observation& what) {
        if (const auto* read = std::get_if<observe::sets_read>(&what)) {
            evaluated += read->evaluated;
        }
    };
    const auto now = [&] { return core::snapshot::parse(db.execute("select pg_current_snapshot()")[0][0].as<std::string>()).value(); };
    postgres::connection on({.url = db.url()});
    app::set_store store(db.url(), tell, [] {});
    store.define(settings.rules, postgres::read_catalog(on));
    core::batch page;
    page.before = now();
    store.follows(page.before);
    const auto call = [&](int user) { return policy::set_call{settings.rules.sets.at("rooms"), {std::to_string(user)}}; };
    std::vector<policy::set_call> all;
    for (int user = 1; user <= users; ++user) {
        all.push_back(call(user));
    }
    std::promise<app::set_store::values> loaded;
    store.load(all, [](auto work) { work(); }, [&](auto values) { loaded.set_value(std::move(values.value())); });
    const auto held = loaded.get_future().get(); // as their sessions hold them
    REQUIRE(held.size() == users);
    CHECK(held[4'998]->texts() == std::vector<std::string>{"99"});
    CHECK(evaluated == 0);

    db.execute("insert into members values (7, 4999)");
    page.after = now();
    core::change taken_in;
    taken_in.op = taken_in.cause = core::operation::insert;
    taken_in.table = "public.members";
    taken_in.after = core::row::parse(R"({"room":7,"user_id":4999,"seen":0})").value();
    page.changes.push_back(taken_in);
    const auto superseded = store.follow(page);
    CHECK(evaluated == 1);
    REQUIRE(superseded.size() == 1);
    CHECK(superseded[0] == held[4'998]);
    CHECK(store.find(call(4'999))->texts() == std::vector<std::string>{"7", "99"});
    CHECK(store.find(call(5'000)) == held[4'999]);
}

TEST_CASE("a set that cannot be loaded while PostgreSQL is away is there when it is back", "[e2e]")
{
    const database db{with_rowcast};
    db.execute(chat + "insert into members values (1, 7)");
    auto settings = configured(db);
    const std::string port = db.execute("show port")[0][0].as<std::string>();
    support::tcp_proxy wire(static_cast<std::uint16_t>(std::stoi(port)));
    settings.database.url = db.tcp_url();
    settings.database.url.replace(settings.database.url.find(":" + port + "/") + 1, port.size(), std::to_string(wire.port()));
    const running_bridge bridge(settings);
    auto client = connect(bridge, "7");
    wire.refuse();
    wire.cut();
    client.send(messages());
    const json refused = *client.receive();
    CHECK(refused.at("type") == "error");
    CHECK(refused.at("code") == "unavailable");
    wire.pass();
    CHECK(support::eventually([&] {
        client.send(messages());
        return client.receive()->at("type") == "subscribed";
    }));
    say(db, 1, "back");
    CHECK(client.await("changes").at("events")[0].at("row").at("body") == "back");
}

TEST_CASE("a configuration with other sets reaches those whose rights are others by it, and leaves the rest alone", "[e2e]")
{
    const database db{with_rowcast};
    db.execute(chat + "insert into members values (1, 7, 0), (2, 7, 1)");
    const auto before = configured(db);
    running_bridge bridge(before);
    auto client = connect(bridge, "7");
    const auto subscribe_to = [&](const json& what) {
        client.send(what);
        const json said = *client.receive();
        return said.at("type") == "error" ? said.at("code").get<std::string>() : said.at("type").get<std::string>();
    };
    const auto is_left_alone = [&] {
        client.send({{"type", "ping"}, {"id", 1}});
        return client.receive()->at("type") == "pong";
    };
    const auto is_told = [&] {
        const json told = *client.receive();
        return told.at("type") == "resync" && told.at("id") == "m" && told.at("reason") == "permissions_changed";
    };
    REQUIRE(subscribe_to(messages()) == "subscribed");
    REQUIRE(subscribe_to({{"type", "subscribe"}, {"id", "t"}, {"table", "public.t"}}) == "subscribed");

    auto more = before;
    auto another = std::make_shared<policy::set_definition>(*before.rules.sets.at("rooms"));
    another->name = "others";
    another->query = "select user_id from members where room = $1";
    more.rules.sets["others"] = another;
    for (const auto& same : {before, more}) {
        bridge.next = same;
        REQUIRE(bridge.reload().empty());
        CHECK(is_left_alone());
    }
    bridge.next = configured(db, "select room from members where user_id = $1 and seen > 0");
    REQUIRE(bridge.reload().empty());
    CHECK(is_told());
    REQUIRE(subscribe_to(messages()) == "subscribed");
    say(db, 1, "unseen");
    say(db, 2, "seen");
    CHECK(client.await("changes").at("events")[0].at("row").at("body") == "seen");

    auto none = before;
    none.rules.sets.clear();
    none.rules.channels.clear();
    none.rules.tables.erase("public.messages");
    bridge.next = none;
    REQUIRE(bridge.reload().empty());
    CHECK(is_told());
    CHECK(subscribe_to(messages()) == "forbidden");
    bridge.next = before;
    REQUIRE(bridge.reload().empty());
    CHECK(subscribe_to(messages()) == "subscribed");
    say(db, 1, "seen again");
    CHECK(client.await("changes").at("events")[0].at("row").at("body") == "seen again");
    db.execute("insert into t values (1)");
    CHECK(client.await("changes").at("events")[0].at("table") == "public.t"); // all the time
}

TEST_CASE("a set whose table is dropped gives nothing until the table is there again", "[e2e]")
{
    const database db{with_rowcast};
    db.execute(chat + "insert into members values (1, 7)");
    const running_bridge bridge(configured(db));
    auto client = connect(bridge, "7");
    client.send(messages());
    CHECK(client.receive()->at("type") == "subscribed");

    db.execute("drop table members");
    CHECK(client.await("resync").at("reason") == "permissions_changed");
    say(db, 1, "unseen");
    db.execute("create table members (room int, user_id int, primary key (room, user_id)); insert into members values (2, 7); "
               "select rowcast.watch('members', notify => true)");
    // How soon the bridge knows is its own affair; each time its rights are others the client hears of it.
    std::string seen;
    while (seen.empty()) {
        client.send(messages());
        json message = *client.receive();
        INFO(message.dump());
        REQUIRE(message.at("type") == "subscribed");
        say(db, 1, "unseen");
        say(db, 2, "seen");
        message = *client.receive();
        if (message.at("type") == "changes") {
            seen = message.at("events")[0].at("row").at("body");
        }
    }
    CHECK(seen == "seen");
}

} // namespace rowcast
