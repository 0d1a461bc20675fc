#include "postgres/maintenance.hpp"

#include "support/database.hpp"
#include "support/eventually.hpp"

#include <catch2/catch.hpp>

using namespace rowcast;
using namespace std::chrono_literals;
using rowcast::support::database;
using rowcast::support::with_rowcast;

namespace {

template <class Observation>
const Observation* find(const std::vector<observe::observation>& seen)
{
    for (const auto& each : seen) {
        if (const auto* found = std::get_if<Observation>(&each)) {
            return found;
        }
    }
    return nullptr;
}

} // namespace

TEST_CASE("a round of maintenance removes what is old in small batches, and gives new partitions their triggers")
{
    const database db{with_rowcast};
    db.execute("create table p (id int primary key) partition by range (id); create table p1 partition of p for values "
               "from (0) to (10000);"
               "select rowcast.watch('p', notify => true)");
    for (int i = 0; i < 12; ++i) {
        db.execute("insert into p select n from generate_series(" + std::to_string(i * 800) + ", " +
                   std::to_string(i * 800 + 799) + ") n");
    }
    db.execute("create table p2 partition of p for values from (10000) to (20000)");
    std::vector<observe::observation> seen;
    const observe::sink sink = [&](const observe::observation& each) { seen.push_back(each); };
    postgres::maintenance service{{.connection = {.url = db.url()}}, sink, nullptr};

    service.run();
    CHECK(find<observe::background_failed>(seen) == nullptr);
    CHECK(find<observe::log_expired>(seen) == nullptr);
    REQUIRE(find<observe::partitions_refreshed>(seen) != nullptr);
    CHECK(find<observe::partitions_refreshed>(seen)->table == "public.p2");
    db.execute("insert into p2 values (10001)");
    CHECK(db.execute("select count(*) from rowcast.change_log where op = 'INSERT'")[0][0].as<int>() == 9601);

    service.set_retention(0ms, 2'000'000'000);
    // Other tests' transactions hold retention back: not always all in one round.
    CHECK(support::eventually([&] {
        service.run();
        return db.execute("select from rowcast.change_log").empty();
    }));
    std::uint64_t removed = 0;
    for (const auto& each : seen) {
        if (const auto* expired = std::get_if<observe::log_expired>(&each)) {
            removed += expired->removed;
        }
    }
    CHECK(removed >= 9601);
    CHECK(find<observe::background_failed>(seen) == nullptr);
}

TEST_CASE("retention lets those go first who work on the log itself, and that is no failure", "[serial]")
{
    const database db{with_rowcast};
    db.execute("create table t (id int primary key); select rowcast.watch('t', notify => true); insert into t values (1)");
    std::vector<observe::observation> seen;
    const observe::sink sink = [&](const observe::observation& each) { seen.push_back(each); };
    postgres::maintenance service{{.connection = {.url = db.url()}, .retention_age = 0ms}, sink, nullptr};
    {
        pqxx::connection connection{db.connect()};
        pqxx::work holder{connection};
        holder.exec("lock table rowcast.change_log in exclusive mode");
        service.run();
        CHECK(find<observe::background_failed>(seen) == nullptr);
        CHECK(find<observe::log_expired>(seen) == nullptr);
    }
    CHECK(support::eventually([&] {
        service.run();
        return db.execute("select from rowcast.change_log").empty();
    }));
    CHECK(find<observe::background_failed>(seen) == nullptr);
}

TEST_CASE("maintenance that fails says so, and is itself again as soon as the database is")
{
    const database db{with_rowcast};
    std::vector<observe::observation> seen;
    const observe::sink sink = [&](const observe::observation& each) { seen.push_back(each); };
    postgres::maintenance service{{.connection = {.url = db.url()}}, sink, nullptr};
    service.run();
    CHECK(find<observe::background_failed>(seen) == nullptr);
    db.execute("alter schema rowcast rename to away");
    service.run();
    const auto* failed = find<observe::background_failed>(seen);
    REQUIRE(failed != nullptr);
    CHECK(failed->what == "retention");
    CHECK_THAT(failed->reason, Catch::Contains("rowcast install"));
    db.execute("alter schema away rename to rowcast");
    seen.clear();
    service.run();
    CHECK(find<observe::background_failed>(seen) == nullptr);
}
