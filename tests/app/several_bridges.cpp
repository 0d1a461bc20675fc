#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "app/running_bridge.hpp"
#include "support/database.hpp"
#include "support/subscriber.hpp"

namespace rowcast {
namespace {

using support::database;
using support::subscriber;
using support::with_rowcast;
using test::running_bridge;

constexpr int rows = 2000;
constexpr int mark = 1'000'000;

// Transactions of one row and of many, of which some sleep before they commit, and some are rolled back.
void write(const database& db, unsigned seed)
{
    std::mt19937 random(seed);
    const auto up_to = [&](int most) { return std::uniform_int_distribution<int>(1, most)(random); };
    pqxx::connection connection = db.connect();
    for (int i = 0; i < 150; ++i) {
        pqxx::work work(connection);
        const int first = up_to(rows);
        const int count = up_to(60) == 1 ? rows : up_to(40);
        // In the order of the keys, so that writers do not block each other for ever.
        work.exec("update t set v = v + 1 from (select id from t where id between " + std::to_string(first) + " and " +
                  std::to_string(first + count - 1) + " order by id for update) chosen where t.id = chosen.id");
        if (up_to(10) == 1) {
            work.exec("select pg_sleep(0.02)");
        }
        if (up_to(8) == 1) {
            work.abort();
        } else {
            work.commit();
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(up_to(20))); // so that it lasts, and clients get about
    }
}

struct received {
    std::vector<std::string> ids;
    std::vector<std::string> transactions; // of each
    std::map<int, int> versions;           // of each row, the last
    std::string problem;
    std::atomic<int> moves = 0;
    std::atomic<bool> over = false;

    bool has_moved() const { return moves > 3 || over; }
};

// From bridge to bridge and from transport to transport, never for long.
void wander(const std::vector<std::uint16_t>& ports, std::string cursor, unsigned seed, received& got)
{
    std::mt19937 random(seed);
    const auto one_of = [&](std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(random); };
    for (;;) {
        const support::way how = support::every_way[one_of(std::size(support::every_way))];
        subscriber client(how, ports[one_of(ports.size())], {.table = "public.t", .after = cursor, .limit = 200});
        if (client.answer() != "resumed") {
            got.problem = name_of(how) + " was answered " + client.answer();
            return;
        }
        ++got.moves;
        for (std::size_t parts = one_of(3) + 1; parts > 0; --parts) {
            const auto part = client.next();
            cursor = client.cursor();
            for (const auto& event : part.events) {
                const int id = event.at("key").at("id");
                if (id == mark) {
                    return;
                }
                const int version = event.at("row").at("v");
                if (version != ++got.versions[id]) {
                    got.problem = name_of(how) + " brought version " + std::to_string(version) + " of row " + std::to_string(id) +
                                  " where " + std::to_string(got.versions[id]) + " was next";
                    return;
                }
                got.ids.push_back(event.at("id"));
                got.transactions.push_back(event.at("tx"));
            }
        }
    }
}

bool stay_whole(const std::vector<std::string>& transactions)
{
    std::set<std::string> over;
    for (std::size_t i = 1; i < transactions.size(); ++i) {
        if (transactions[i] != transactions[i - 1] && !over.insert(transactions[i - 1]).second) {
            return false;
        }
    }
    return transactions.empty() || !over.contains(transactions.back());
}

} // namespace

TEST_CASE("Clients that move between three bridges under load get every change once, in order, on every transport")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key, v int not null default 0); insert into t select n from generate_series(1, " +
               std::to_string(rows) + ") n");
    db.execute("select rowcast.watch('t', notify => true)");
    const running_bridge one(db.url());
    const running_bridge two(db.url(), std::chrono::seconds(2));
    const running_bridge three(db.url(), std::chrono::hours(1)); // reads when the bell rings, or it is asked for what it lacks
    const std::vector<std::uint16_t> ports{one.port(), two.port(), three.port()};
    const std::string start = subscriber(support::way::polling, one.port(), {}).cursor();

    const unsigned seed = std::random_device{}();
    INFO("seed " << seed);
    std::vector<received> got(8);
    std::vector<std::thread> clients;
    for (unsigned i = 0; i < got.size(); ++i) {
        clients.emplace_back([&, i] {
            try {
                wander(ports, start, seed + i, got[i]);
            } catch (const std::exception& error) {
                got[i].problem = error.what();
            }
            got[i].over = true;
        });
    }
    std::vector<std::thread> writers;
    for (unsigned i = 0; i < 4; ++i) {
        writers.emplace_back([&, i] { write(db, seed + 100 + i); });
    }
    for (std::thread& each : writers) {
        each.join();
    }
    // On a busy machine clients take more at a time, and move less.
    for (unsigned i = 0; !std::all_of(got.begin(), got.end(), [](const received& each) { return each.has_moved(); }); ++i) {
        write(db, seed + 200 + i);
    }
    db.execute("insert into t values (" + std::to_string(mark) + ")");
    for (std::thread& each : clients) {
        each.join();
    }

    std::set<std::string> logged;
    for (const auto& row : db.execute("select id from rowcast.change_log where new::jsonb ->> 'id' <> '" + std::to_string(mark) + "'")) {
        logged.insert(row[0].c_str());
    }
    CHECK(logged.size() > 1000);
    for (const received& each : got) {
        INFO(each.problem);
        CHECK(each.problem.empty());
        CHECK(each.moves > 3);
        CHECK(each.ids.size() == logged.size());
        CHECK((std::set<std::string>(each.ids.begin(), each.ids.end()) == logged));
        CHECK(stay_whole(each.transactions));
    }
}

} // namespace rowcast
