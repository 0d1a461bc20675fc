#include "postgres/follower.hpp"
#include "postgres/recorder.hpp"
#include "support/database.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <random>
#include <regex>
#include <thread>

using namespace rowcast;
using namespace std::chrono_literals;
using rowcast::support::database;
using rowcast::support::with_rowcast;
using rowcast::test::recorder;

namespace {

constexpr int keys = 40;

// Few keys, so that writers often wait for each other; a serial number in each value.
class writer {
public:
    writer(const database& db, unsigned seed)
        : connection_(db.connect())
        , random_(seed)
        , seed_(seed)
    {
    }

    void transact()
    {
        const unsigned kind = pick(100);
        const bool prepared = kind >= 92;
        run("begin");
        change(prepared ? "quiet" : "loud");
        if (kind < 10) {
            run("savepoint s");
            change("loud");
            run(kind < 5 ? "rollback to s" : "release s");
        }
        if (kind % 8 == 0) {
            run("select pg_sleep(0.02)");
        }
        if (prepared) {
            const std::string name = "'p" + std::to_string(seed_) + "_" + std::to_string(++serial_) + "'";
            run("prepare transaction " + name);
            run((kind % 2 == 0 ? "commit prepared " : "rollback prepared ") + name);
        } else {
            run(kind % 7 == 0 ? "rollback" : "commit");
        }
    }

    void give_up() { run("rollback"); }

private:
    unsigned pick(unsigned below) { return std::uniform_int_distribution<unsigned>(0, below - 1)(random_); }

    void run(const std::string& sql) { pqxx::nontransaction{connection_}.exec(sql); }

    void change(const std::string& table)
    {
        const std::string value = std::to_string(seed_) + "." + std::to_string(++serial_);
        const auto from = std::to_string(pick(keys));
        switch (pick(4)) {
        case 0:
            run("delete from " + table + " where id in (select id from " + table + " where id >= " + from +
                " order by id limit 2 for update)");
            break;
        case 1:
            run("update " + table + " set v = '" + value + "' where id in (select id from " + table +
                " where id between " + from + " and " + from + " + 5 order by id for update)");
            break;
        default:
            run("insert into " + table + " values (" + from + ", '" + value +
                "') on conflict (id) do update set v = excluded.v");
        }
    }

    pqxx::connection connection_;
    std::mt19937 random_;
    unsigned seed_;
    int serial_ = 0;
};

// A replica that notices when a change does not fit what it holds: then one came before another that it depends on.
class replica {
public:
    void apply(const recorder::noted& change)
    {
        if (change.op == core::operation::message) {
            return;
        }
        const std::string& row = change.after.empty() ? change.before : change.after;
        const std::string key = change.table + row.substr(0, row.find(','));
        const auto held = rows_.find(key);
        const std::string before = held == rows_.end() ? "" : held->second;
        if (before != change.before) {
            misfits.push_back(key + ": " + before + " is not " + change.before);
        }
        if (change.after.empty()) {
            rows_.erase(key);
        } else {
            rows_[key] = change.after;
        }
    }

    std::multiset<std::string> rows_of(const std::string& table) const
    {
        std::multiset<std::string> rows;
        for (const auto& [key, row] : rows_) {
            if (key.starts_with(table + "{")) {
                rows.insert(row);
            }
        }
        return rows;
    }

    std::vector<std::string> misfits;

private:
    std::map<std::string, std::string> rows_;
};

std::multiset<std::string> table(const database& db, const std::string& name)
{
    std::multiset<std::string> rows;
    for (const auto& row : db.execute("select row_to_json(t) from " + name + " t")) {
        rows.insert(row[0].as<std::string>());
    }
    return rows;
}

} // namespace

TEST_CASE("of many writers that wait, roll back and prepare, each change comes once, in an order that applies")
{
    const unsigned seed = std::random_device{}();
    INFO("seed " << seed);
    const database db{with_rowcast};
    for (const char* each : {"loud", "quiet"}) {
        db.execute(std::string("create table ") + each + " (id int primary key, v text); select rowcast.watch('" +
                   each + "', notify => " + (each[0] == 'l' ? "true)" : "false)"));
    }
    recorder got;
    postgres::follower_options options;
    options.connection.url = db.url();
    options.poll_interval = 30ms;
    options.pages.changes = 50; // steps of several pages, too
    std::mt19937 random{seed};
    got.at_each_page = [&] { std::this_thread::sleep_for(std::chrono::milliseconds(random() % 20)); };
    postgres::follower follower{options, got.callbacks(), got.sink()};
    got.wait_for_start();

    std::vector<std::thread> writers;
    std::mutex mutex;
    std::vector<std::string> failures;
    for (unsigned number = 0; number < 8; ++number) {
        writers.emplace_back([&, number] {
            try {
                writer one{db, seed % 1000 * 10 + number};
                for (int i = 0; i < 250; ++i) {
                    try {
                        one.transact();
                    } catch (const pqxx::failure& error) {
                        if (std::string_view(error.what()).find("deadlock detected") == std::string_view::npos) {
                            throw;
                        }
                        one.give_up();
                    }
                }
            } catch (const std::exception& error) {
                const std::lock_guard lock{mutex};
                failures.emplace_back(error.what());
            }
        });
    }
    for (std::thread& each : writers) {
        each.join();
    }
    REQUIRE(failures == std::vector<std::string>{});
    db.execute("select rowcast.publish('end', 'end', '1')");
    got.wait_for_event("end");
    follower.stop();

    std::multiset<std::string> delivered;
    std::multiset<std::string> logged;
    replica copy;
    for (const auto& each : got.changes) {
        delivered.insert(std::to_string(each.where.id));
        copy.apply(each);
    }
    for (const auto& row : db.execute("select id from rowcast.change_log")) {
        logged.insert(row[0].as<std::string>());
    }
    CHECK(delivered.size() > 1000);
    CHECK(delivered == logged);
    CHECK(copy.misfits.empty());
    CHECK(copy.rows_of("public.loud") == table(db, "loud"));
    CHECK(copy.rows_of("public.quiet") == table(db, "quiet"));
    std::map<core::transaction_id, core::change_id> ends;
    for (std::size_t i = 0; i < got.changes.size(); ++i) {
        const auto& [at, fresh] = ends.emplace(got.changes[i].xid, got.changes[i].where.transaction_end);
        CHECK((fresh || got.changes[i - 1].xid == got.changes[i].xid)); // whole transactions
        CHECK(at->second == got.changes[i].where.transaction_end);
    }
    CHECK(got.steps.size() > 5); // while they wrote; how many is the machine's business
}
