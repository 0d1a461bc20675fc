#include <catch2/catch.hpp>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "app/bridge.hpp"
#include "support/database.hpp"
#include "support/http_client.hpp"
#include "support/process.hpp"
#include "support/websocket_client.hpp"

namespace rowcast {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

const std::vector<std::string> tables = {"public.pgbench_accounts", "public.pgbench_branches", "public.pgbench_tellers",
                                         "public.pgbench_history"};

config::configuration everything_for_everyone(const std::string& url)
{
    config::configuration settings;
    settings.database.url = url;
    settings.server.listen = {{{"127.0.0.1", 0}}};
    settings.server.admin = settings.server.listen.front();
    for (const std::string& table : tables) {
        settings.rules.tables[table].push_back({{}, {}, std::nullopt, {}});
    }
    return settings;
}

std::string query_for_all()
{
    std::string query;
    for (const std::string& table : tables) {
        query += (query.empty() ? "" : "&") + std::string("sub=") + table.substr(7) + ":" + table;
    }
    return query;
}

struct received {
    std::string id;
    std::string tx;
    json event;
};

// What one client has got; it ends with the message "enough" on the channel "end".
struct log_of {
    std::vector<received> events;
    void take(json event) { events.push_back({event.at("id"), event.at("tx"), std::move(event)}); }
};

bool is_end(const json& event)
{
    return event.contains("channel");
}

void by_websocket(std::uint16_t port, log_of& into, std::atomic<int>& listening)
{
    support::websocket_client client(port);
    for (const std::string& table : tables) {
        client.send({{"type", "subscribe"}, {"id", table.substr(7)}, {"table", table}});
        client.await("subscribed");
    }
    client.send({{"type", "subscribe"}, {"id", "end"}, {"channel", "end"}});
    client.await("subscribed");
    ++listening;
    for (;;) {
        const json message = client.await("changes", 60s);
        for (const json& event : message.at("events")) {
            if (is_end(event)) {
                return;
            }
            into.take(event);
        }
    }
}

void by_sse(std::uint16_t port, log_of& into, std::atomic<int>& listening)
{
    support::http_client client(port);
    const auto answer = client.open_stream("/v1/sse?" + query_for_all() + "&sub=end:%3Fchannel%3Dend");
    if (answer.status != 200) {
        throw std::runtime_error("SSE: " + std::to_string(answer.status));
    }
    bool counted = false;
    for (;;) {
        const auto event = client.next_event(60s);
        if (!event) {
            throw std::runtime_error("SSE: the stream ended");
        }
        if (!std::exchange(counted, true)) {
            ++listening;
        }
        if (event->name == "change") {
            json data = json::parse(event->data);
            if (is_end(data)) {
                return;
            }
            into.take(std::move(data));
        }
    }
}

void by_polling(std::uint16_t port, log_of& into, std::atomic<int>& listening)
{
    support::http_client client(port);
    const std::string target = "/v1/changes?" + query_for_all() + "&sub=end:%3Fchannel%3Dend&limit=5000";
    std::string cursor = json::parse(client.get(target).body).at("cursor");
    ++listening;
    for (;;) {
        const auto answer = client.get(target + "&wait=20&after=" + cursor, {}, 60s);
        if (answer.status != 200) {
            throw std::runtime_error("polling: " + std::to_string(answer.status) + " " + answer.body);
        }
        const json page = json::parse(answer.body);
        cursor = page.at("cursor");
        for (const json& event : page.at("events")) {
            if (is_end(event)) {
                return;
            }
            into.take(event);
        }
    }
}

// The tables that a client holds who does as the events say.
using replica = std::map<std::string, std::map<std::string, std::string>>;

replica replay(const log_of& log)
{
    replica copy;
    for (const received& each : log.events) {
        auto& rows = copy[each.event.at("table")];
        const std::string op = each.event.at("op");
        if (op == "TRUNCATE") {
            rows.clear();
            continue;
        }
        const std::string key = each.event.at("key").dump();
        if (op == "DELETE") {
            REQUIRE(rows.erase(key) == 1);
        } else {
            REQUIRE(rows.contains(key) == (op == "UPDATE"));
            rows[key] = each.event.at("row").dump();
        }
    }
    return copy;
}

std::map<std::string, std::string> rows_of(pqxx::work& transaction, const std::string& table, const std::string& key)
{
    std::map<std::string, std::string> rows;
    for (const auto& row : transaction.exec("select json_build_object('" + key + "', " + key + "), row_to_json(t) from " + table + " t")) {
        rows[json::parse(row[0].c_str()).dump()] = json::parse(row[1].c_str()).dump();
    }
    return rows;
}

std::vector<std::string> sorted_ids(const log_of& log)
{
    std::vector<std::string> all;
    for (const received& each : log.events) {
        all.push_back(each.id);
    }
    std::sort(all.begin(), all.end());
    return all;
}

// Each transaction's events one behind the other, in the order in which they were logged.
void require_whole_transactions(const log_of& log)
{
    std::set<std::string> over;
    const received* last = nullptr;
    for (const received& each : log.events) {
        if (last && each.tx == last->tx) {
            REQUIRE(std::stoull(each.id) > std::stoull(last->id));
        } else {
            REQUIRE(over.insert(each.tx).second);
        }
        last = &each;
    }
}

std::filesystem::path script(const std::string& name, const std::string& text)
{
    const auto file = std::filesystem::temp_directory_path() / ("rowcast-" + std::to_string(::getpid()) + "-" + name + ".sql");
    std::ofstream(file) << text;
    return file;
}

} // namespace

TEST_CASE("Every transport brings every committed change once, in whole transactions that make the same tables, while pgbench writes")
{
    const char* wanted = std::getenv("ROWCAST_TEST_SECONDS");
    const std::string seconds = wanted ? wanted : "60";

    support::database db(support::with_rowcast);
    support::run({"pgbench", "-q", "-i", "-I", "dtp", db.url()});
    db.execute("alter table pgbench_history add column id bigint generated always as identity primary key;"
               "select rowcast.watch(t::regclass, notify => true) from unnest('{pgbench_accounts,pgbench_branches,pgbench_tellers,pgbench_history}'::text[]) t");

    config::configuration settings = everything_for_everyone(db.url());
    settings.rules.channels.emplace_back("end", std::vector<policy::rule>{policy::rule{}});
    app::bridge bridge(settings, {});
    bridge.start();
    REQUIRE(support::eventually([&] { return bridge.not_ready().empty(); }));
    REQUIRE(support::eventually([&] {
        return support::http_client(bridge.port()).get("/v1/changes?" + query_for_all()).status == 200;
    }));

    log_of websocket;
    log_of sse;
    log_of polling;
    std::atomic<int> listening = 0;
    std::vector<std::string> failures(3);
    std::vector<std::thread> clients;
    const auto run = [&](std::size_t number, auto client, log_of& into) {
        clients.emplace_back([&, number, client] {
            try {
                client(bridge.port(), into, listening);
            } catch (const std::exception& error) {
                failures[number] = error.what();
                ++listening;
            }
        });
    };
    run(0, by_websocket, websocket);
    run(1, by_sse, sse);
    run(2, by_polling, polling);
    const bool all_there = support::eventually([&] { return listening == 3; });

    if (all_there) {
        // One transaction of 100,000 rows, then 16 clients, some of whom roll back or sleep before they commit.
        support::run({"pgbench", "-q", "-i", "-I", "g", db.url()}, {}, 120s);
        const auto rolls_back = script("rollback", "\\set a random(1, 100000)\nbegin;\nupdate pgbench_accounts set abalance = abalance + 1 where aid = :a;\n"
                                                   "savepoint s;\ninsert into pgbench_history(tid, bid, aid, delta, mtime) values (1, 1, :a, 0, now());\n"
                                                   "rollback to s;\nupdate pgbench_tellers set tbalance = 0 where tid = 1 + :a % 10;\nrollback;\n");
        const auto sleeps = script("sleep", "\\set a random(1, 100000)\nbegin;\nupdate pgbench_accounts set abalance = abalance + 1 where aid = :a;\n"
                                            "savepoint s;\ninsert into pgbench_history(tid, bid, aid, delta, mtime) values (1, 1, :a, 0, now());\n"
                                            "release s;\n\\sleep 100 ms\ndelete from pgbench_history where id = (select min(id) from pgbench_history);\nend;\n");
        support::run({"pgbench", "-n", "-c", "16", "-j", "2", "-T", seconds, "-R", "250", "-b", "tpcb-like@8", "-f", rolls_back.string() + "@2",
                      "-f", sleeps.string() + "@2", db.url()},
                     {}, std::chrono::seconds(std::stoi(seconds) + 60));
        std::filesystem::remove(rolls_back);
        std::filesystem::remove(sleeps);
    }
    db.execute("select rowcast.publish('end', 'enough', '{}')");
    for (std::thread& each : clients) {
        each.join();
    }
    REQUIRE(failures == std::vector<std::string>(3));

    // The same events on each. Who catches up from the log gets in one order what others got in several steps, where
    // neither depends on the other...
    const std::vector<std::string> sorted = sorted_ids(websocket);
    REQUIRE(sorted.size() > 100'000);
    REQUIRE((sorted_ids(sse) == sorted));
    REQUIRE((sorted_ids(polling) == sorted));

    // ...each once, and together what the log has, but for the updates that change nothing (pgbench adds 0 now and then)...
    REQUIRE((std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end()));
    pqxx::connection connection = db.connect();
    pqxx::work transaction(connection);
    std::vector<std::string> logged;
    for (const auto& row : transaction.exec("select id from rowcast.change_log where table_name is not null "
                                           "and (op <> 'UPDATE' or new::text <> old::text) order by id::text collate \"C\"")) {
        logged.emplace_back(row[0].c_str());
    }
    std::vector<std::string> differing;
    std::set_symmetric_difference(sorted.begin(), sorted.end(), logged.begin(), logged.end(), std::back_inserter(differing));
    for (const std::string& id : differing) {
        // Of a few at most, when something is wrong: whether it was received or is only in the log, and what it is.
        const bool arrived = std::binary_search(sorted.begin(), sorted.end(), id);
        UNSCOPED_INFO(id << (arrived ? " received, not logged" : " logged, not received"));
        for (const auto& row : transaction.exec("select left(l::text, 300) from rowcast.change_log l where id = " + transaction.quote(id))) {
            UNSCOPED_INFO(row[0].c_str());
        }
        if (&id - differing.data() >= 5) {
            break;
        }
    }
    REQUIRE(differing.size() == 0);

    // ...in whole transactions, which make the tables, row for row, out of nothing.
    const std::map<std::string, std::string> keys = {{"public.pgbench_accounts", "aid"}, {"public.pgbench_branches", "bid"},
                                                     {"public.pgbench_tellers", "tid"}, {"public.pgbench_history", "id"}};
    std::map<std::string, std::map<std::string, std::string>> expected;
    for (const auto& [table, key] : keys) {
        expected[table] = rows_of(transaction, table, key);
    }
    for (const log_of* each : {&websocket, &sse, &polling}) {
        require_whole_transactions(*each);
        replica copy = replay(*each);
        for (const auto& [table, key] : keys) {
            INFO(table);
            REQUIRE((copy[table] == expected[table]));
        }
    }
    bridge.stop(1s);
}

} // namespace rowcast
